// Both forms of every frame vector are the same to libraries that are not ours: `node vectors.mjs FRAMES_JSON`.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { decode } from '@msgpack/msgpack'

const { vectors } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
for (const { name, json, msgpack } of vectors) assert.deepEqual(decode(Buffer.from(msgpack, 'hex')), json, name)
console.log(`done: ${vectors.length}`)
