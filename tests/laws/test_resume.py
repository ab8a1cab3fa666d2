"""Laws of resume: whatever is lost, late, repeated or rolled back, a reader sees one log whole, or is told."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.resume import MAX_WAITING, NOWHERE, Page, Place, Reader, merge
from protocol.bus.topics import Hint
from protocol.ids import event_id


def entry(seq: int, epoch: int = 1, commit_no: int | None = None) -> Hint:
    return Hint(seq, event_id(epoch, seq if commit_no is None else commit_no, 0), b"e")


def log(length: int, epoch: int = 1) -> list[Hint]:
    return [entry(seq, epoch) for seq in range(1, length + 1)]


@given(st.data())
def test_history_and_hints_never_gap_or_repeat(data: st.DataObject) -> None:
    """Any part of a log as a page, any hints of it in any order: what comes out follows the place, contiguous."""
    whole = log(data.draw(st.integers(0, 12)))
    at = data.draw(st.integers(0, len(whole)))
    read_to = data.draw(st.integers(at, len(whole)))
    place = Place(at, whole[at - 1].id) if at else NOWHERE
    hints = data.draw(st.lists(st.sampled_from(whole), max_size=12)) if whole else []
    merged = merge(place, Page(1, whole[max(at - 1, 0) : read_to]), hints)
    assert not merged.resync
    assert [each.seq for each in merged.entries] == list(range(at + 1, at + 1 + len(merged.entries)))
    assert merged.place.seq == at + len(merged.entries) >= read_to
    assert merged.again == any(hint.seq > merged.place.seq for hint in hints)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 8))
def test_a_place_of_a_lost_log_is_told_to_resync(kept: int, read: int, more: int) -> None:
    """After a rebuild, a reader goes on silently exactly if the entry it stands on survived."""
    before = log(max(kept, read))
    after = [*before[:kept], *(entry(kept + number, epoch=2) for number in range(1, more + 1))]
    page = Page(2, [each for each in after if each.seq >= read])
    merged = merge(Place(read, before[read - 1].id), page, [])
    assert merged.resync == (read > kept)
    if not merged.resync:
        assert [each.id for each in merged.entries] == [each.id for each in after[read:]]


@given(st.integers(0, 6), st.integers(1, 6))
def test_hints_of_a_lost_epoch_are_not_joined_by_seq(kept: int, late: int) -> None:
    """A hint from before the rebuild that fits by seq is dropped, not shown."""
    page = Page(2, log(kept))
    stale = [entry(kept + number, epoch=1, commit_no=100) for number in range(1, late + 1)]
    merged = merge(NOWHERE, page, stale[:1])
    assert [each.id for each in merged.entries] == [each.id for each in page.entries]


@given(st.integers(0, 6))
def test_hints_of_a_newer_epoch_make_the_log_be_read_again(kept: int) -> None:
    """A page that was read before the rebuild is not continued after it."""
    merged = merge(NOWHERE, Page(1, log(kept)), [entry(kept + 1, epoch=2)])
    assert merged.again
    assert merged.place.seq == kept


class Redis:
    """A log that is committed to, rebuilt, read in pages, and hinted with losses, repeats and delays."""

    def __init__(self) -> None:
        self.epoch = 1
        self.commit_no = 0
        self.log: list[Hint] = []
        self.under_way: list[Hint] = []
        self.neighbours: set[tuple[str, str]] = set()  # ids that ever followed each other in the log

    def commit(self) -> None:
        self.commit_no += 1
        made = Hint(len(self.log) + 1, event_id(self.epoch, self.commit_no, 0), b"e")
        self.neighbours.add((self.log[-1].id if self.log else "", made.id))
        self.log.append(made)
        self.under_way.append(made)

    def rebuild(self, lost: int) -> None:
        """Lose the newest `lost` entries; hints of them may still be under way."""
        self.log = self.log[: max(0, len(self.log) - lost)]
        self.epoch += 1

    def page(self, from_seq: int, size: int) -> Page:
        """A page holds the entry the reader stands on and at least one more, or it would never move."""
        found = self.log[from_seq - 1 :]
        return Page(self.epoch, found[:size], more=len(found) > size)


class Client:
    """What a reader is shown, checked as it comes."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.reader = Reader(NOWHERE)
        self.shown: list[Hint] = []

    def show(self, entries: list[Hint], *, resync: bool = False) -> None:
        if resync:
            self.shown = []
        for each in entries:
            assert each.seq == len(self.shown) + 1, "a gap or a repeat"
            before = self.shown[-1].id if self.shown else ""
            assert (before, each.id) in self.redis.neighbours, "two logs were joined"
            self.shown.append(each)


@given(st.data())
def test_a_reader_ends_with_the_log_whatever_happens_to_hints(data: st.DataObject) -> None:
    """Commits, lost and repeated hints, rebuilds and slow reads in any order; after one check it has the log."""
    redis = Redis()
    client = Client(redis)
    pages: list[tuple[int, Page]] = []
    reads: list[int] = [client.reader.begin()]

    def hear(hints: list[Hint]) -> None:
        entries = client.reader.hinted(hints)
        if entries is None:
            reads.append(client.reader.begin())
        else:
            client.show(entries)

    def take(turn: int, page: Page) -> None:
        if turn != client.reader.turn or not client.reader.reading:
            return
        merged = client.reader.take(page)
        client.show(merged.entries, resync=merged.resync)
        if merged.again:
            reads.append(client.reader.begin())

    def read() -> None:
        turn = reads.pop(0)
        pages.append((turn, redis.page(max(client.reader.place.seq, 1), data.draw(st.integers(2, 5)))))

    for _ in range(data.draw(st.integers(0, 25))):
        match data.draw(st.sampled_from(["commit", "commit", "hint", "lose", "repeat", "rebuild", "read", "page"])):
            case "commit":
                redis.commit()
            case "hint" if redis.under_way:
                hear([redis.under_way.pop(0)])
            case "lose" if redis.under_way:
                redis.under_way.pop(0)
            case "repeat" if redis.under_way:
                hear([redis.under_way[0]])
            case "rebuild":
                redis.rebuild(data.draw(st.integers(0, 3)))
            case "read" if reads:
                read()
            case "page" if pages:
                take(*pages.pop(0))
    for _ in range(100):
        if client.reader.behind(len(redis.log), redis.epoch):
            reads.append(client.reader.begin())
        if reads:
            read()
        if not pages:
            break
        take(*pages.pop(0))
    assert [each.id for each in client.shown] == [each.id for each in redis.log]


def test_more_hints_than_are_kept_make_the_log_be_read_again() -> None:
    """While a page is read a bounded number of hints wait; what came beyond them is in the log."""
    reader = Reader(NOWHERE)
    reader.begin()
    for hint in log(MAX_WAITING + 2):
        assert reader.hinted([hint]) == []
    assert reader.take(Page(1, [])).again


@given(st.integers(1, 5))
def test_a_live_reader_does_not_go_on_under_another_epoch(seen: int) -> None:
    """A hint that fits by seq but comes from after a rebuild makes the log be read."""
    reader = Reader(NOWHERE)
    reader.begin()
    reader.take(Page(1, log(seen)))
    assert reader.hinted([entry(seen + 1, epoch=2)]) is None
