"""Sessions without sockets: frames, committed facts and times in, actions out. No I/O, no clock, no chance."""
