"""A model of the commit log as a ring of documents, for lanes of one service and processes that may die at any time.

The protocol. Numbers count the commits of a lane, from 1.

1. A lane has R commit documents, which are never deleted. Commit n replaces document n mod R only if it holds n - R.
   Several lanes may be written by one command, whose answer tells how many documents it replaced. Only if that is all
   of them, the commits are the sender's. Else it forgets these lanes and recovers.
2. Before an owner writes n, n - R is applied and published.
3. n + 1 may be decided, and is not sent, before n is acknowledged.
4. n is published after its acknowledgement, in the order of numbers.
5. Commits are applied in one transaction that finds the lane document at the number before them. It also raises
   `told`: all commits up to it are published. Refused: recover.
6. A recovery reads the lane document first, then the ring. It stands at the last number of the unbroken run from the
   applied one. It publishes all above `told`, writes nothing, and goes to work.
7. Whatever a decision reads of its own lane (ledger, entities, timers, parked keys) are documents with the commits
   that are not applied yet. A look-up into another lane reads its lane document and its ring in one snapshot.

The world. A record is a letter, and worked it is a letter of the entity and an output. The ledger gets letters added
by each apply, the entity is replaced: so the two differ when a commit is lost or applied twice. Letters with a
meaning: `s` sets a timer, and `S` says that it was reached. `p` is a record on which the rule fails: it becomes the
dead letter `P`, and later records wait as capitals, until `p` comes again and works. `v` looks into the first lane
and says how many letters it found there. It is there once the first output of that lane is.

A process remembers, and acts on what it remembers at any time: a zombie is one that did nothing for long. It may
forget at any time, as by a crash or when a lane is taken from it. What was sent and not answered happens later or
never. `broken` names what is wrong on purpose, see BREAKS.
"""

from collections.abc import Hashable, Iterator, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

from tests.model.search import Step, Violation

BREAKS = {
    "no-compare": "commit n replaces its document whatever it holds",
    "overwrites-unapplied": "n is written although n - R is not applied",
    "overwrites-unpublished": "n is written although n - R is not published",
    "stands-behind-a-gap": "a recovery stands at the highest number that it found",
    "lane-read-last": "a recovery reads the ring first, then the lane document",
    "sends-ahead": "n + 1 is sent before n is acknowledged",
    "unfenced-apply": "an apply does not compare the lane's number",
    "told-too-much": "an apply notes what is committed as published",
    "some-taken-for-all": "a command that replaced a document is taken for one that replaced all of them",
    "filter-forgets": "the filter of duplicates knows the applied commits alone",
    "timers-of-documents": "timers are read without the commits that are not applied",
    "parked-of-documents": "parked keys are read without the commits that are not applied",
    "shared-ledger": "a ledger's id does not name the lane",
    "views-of-documents": "a look-up into another lane reads what is applied there",
    # Harmless, because no number is ever written twice.
    "unknown-taken-for-failure": "who gets no answer goes on as if nothing had been written",
    "delivered-twice": "an acknowledged write arrives once more, later",
}
HARMLESS = frozenset({"unknown-taken-for-failure", "delivered-twice"})


class Commit(NamedTuple):
    """The content of a commit: `new` letters at the end of the entity, and everything as it is after it."""

    new: int
    entity: str
    next: int
    timers: str
    parked: bool


class LaneDocument(NamedTuple):
    """What is applied: the number, up to where all was published by then, and the documents."""

    applied: int
    told: int
    ledger: str
    last: Commit


Numbered: TypeAlias = tuple[int, Commit]


class Reading(NamedTuple):
    """A recovery that has read the lane document (or has not, if it reads it last), and some of the ring."""

    lane: LaneDocument | None
    found: tuple[Numbered, ...]
    cursor: int


class Owner(NamedTuple):
    """A process at work. `unpublished`: of a recovery, what it found and publishes first. `own`: commits that are not
    both applied and published."""

    last: int
    after: Commit
    applied: int
    published: int
    own: tuple[Numbered, ...]
    unpublished: tuple[Numbered, ...] = ()


Memory: TypeAlias = Reading | Owner | None


class Write(NamedTuple):
    """A commit on its way."""

    lane: int
    number: int
    content: Commit


class Apply(NamedTuple):
    """An apply on its way."""

    lane: int
    applied: int
    run: tuple[Numbered, ...]
    told: int


class Publish(NamedTuple):
    """Records of a commit on their way to Kafka."""

    lane: int
    content: Commit


Message: TypeAlias = Write | Apply | Publish
Ring: TypeAlias = tuple[tuple[int, Commit | None], ...]


class World(NamedTuple):
    """`lanes`, `rings` and `topics` stand by lane. `processes`: the memory of each, for each lane. `unanswered`: what
    is on its way."""

    lanes: tuple[LaneDocument, ...]
    rings: tuple[Ring, ...]
    topics: tuple[str, ...]
    processes: tuple[tuple[Memory, ...], ...]
    unanswered: tuple[Message, ...]


NOTHING = Commit(0, "", 0, "", False)


class RingModel:
    """Lanes with these records, so many processes, and at most so many unanswered messages at a time.

    `size`: documents of a ring. `snapshot`: a recovery reads everything at one moment, and not one by one.
    """

    def __init__(
        self,
        *records: str,
        processes: int,
        unanswered: int,
        size: int = 2,
        snapshot: bool = False,
        broken: Sequence[str] = (),
    ) -> None:
        if unknown := set(broken) - BREAKS.keys():
            raise ValueError(f"{sorted(unknown)} are no breaks")
        self._records = records
        self._most_unanswered = unanswered
        self.size = size
        self.snapshot = snapshot
        self._broken = frozenset(broken)
        self._expected = tuple(_in_order(lane) for lane in records)
        lanes = tuple(LaneDocument(0, 0, "", NOTHING) for _ in records)
        ring: Ring = ((0, None),) * size
        self.start = World(
            lanes, (ring,) * len(records), ("",) * len(records), ((None,) * len(records),) * processes, ()
        )

    def same(self, world: World) -> Hashable:
        # Which process remembers what makes no difference.
        return world._replace(processes=tuple(sorted(world.processes, key=hash)))

    def check(self, world: World) -> None:
        """When all have forgotten and nothing is on its way, one process alone must bring everything to its end."""
        if world.unanswered or any(memory for process in world.processes for memory in process):
            return
        world = world._replace(processes=world.processes[:1])
        seen: set[World] = set()
        while not self._is_at_its_end(world):
            way = None
            if world not in seen:
                seen.add(world)
                way = next((step for step in self.steps(world) if not step.is_fault), None)
            if way is None or not isinstance(way.after, World):
                raise Violation(f"a process alone does not come to an end: {world.topics} are published")
            world = way.after

    def steps(self, world: World) -> Iterator[Step]:
        for number, process in enumerate(world.processes):
            name = "ABCDE"[number]
            for lane, memory in enumerate(process):
                act = _Actor(self, world, number, lane, f"{name}, lane {lane}")
                if memory is None:
                    yield act.began()
                    continue
                yield Step(f"{act.name}: forgets", True, act.remembers(None))
                yield from act.read(memory) if isinstance(memory, Reading) else act.work(memory)
            if len(process) > 1:
                yield from self._together(world, number, process, name)
        for index, message in enumerate(world.unanswered):
            rest = world._replace(unanswered=world.unanswered[:index] + world.unanswered[index + 1 :])
            yield Step(f"lost for ever: {message}", True, rest)
            arrived = self.arrive(rest, message)
            if arrived is not None:
                yield Step(f"late: {message}", True, arrived)

    def _together(self, world: World, number: int, process: tuple[Memory, ...], name: str) -> Iterator[Step]:
        """One command with a commit of each lane. Each of its writes is done, refused or late by itself."""
        if not all(isinstance(memory, Owner) and self.may_write(memory) for memory in process):
            return
        owners = [memory for memory in process if isinstance(memory, Owner)]
        choices = [
            [Write(lane, owner.last + 1, content) for content in self.decisions(world, lane, owner)]
            for lane, owner in enumerate(owners)
        ]
        for writes in product(*choices):
            done = [self.fits(world, write) for write in writes]
            after = world
            for write, fits in zip(writes, done, strict=True):
                after = self.written(after, write) if fits else after
            advanced = tuple(_committed(owner, write) for owner, write in zip(owners, writes, strict=True))
            if all(done):
                yield Step(f"{name}: one command commits {writes}", False, _remembering(after, number, advanced))
            elif any(done):
                # The answer tells a number alone.
                memories = advanced if self.breaks("some-taken-for-all") else (None,) * len(owners)
                yield Step(
                    f"{name}: one command of {writes} replaced some", False, _remembering(after, number, memories)
                )
            for lane, write in enumerate(writes):
                other = writes[1 - lane]
                if self.fits(world, other):
                    half = _remembering(self.written(world, other), number, (None,) * len(process))
                    yield from self.unanswered(half, f"{name}: half of a command,", write)

    # What several of them use.

    def breaks(self, name: str) -> bool:
        return name in self._broken

    def fits(self, world: World, write: Write) -> bool:
        held, _ = world.rings[write.lane][write.number % self.size]
        return held == max(write.number - self.size, 0) or self.breaks("no-compare")

    def written(self, world: World, write: Write) -> World:
        ring, place = world.rings[write.lane], write.number % self.size
        if ring[place][0] > world.lanes[write.lane].applied:
            raise Violation(f"commit {ring[place][0]} of lane {write.lane} is overwritten, and is not applied")
        ring = (*ring[:place], (write.number, write.content), *ring[place + 1 :])
        return world._replace(rings=_with(world.rings, write.lane, ring))

    def arrive(self, world: World, message: Message) -> World | None:
        """The world after the message took effect. None: it is refused."""
        match message:
            case Write():
                return self.written(world, message) if self.fits(world, message) else None
            case Publish(lane, content):
                return self.published(world, lane, content)
            case Apply(lane, applied, run, told):
                if world.lanes[lane].applied != applied and not self.breaks("unfenced-apply"):
                    return None
                return self.applied(world, lane, run, told)

    def published(self, world: World, lane: int, content: Commit) -> World:
        """The topic has each output once, in the order in which it first came: readers drop what they know."""
        topic, entity = world.topics[lane], content.entity
        self._check(lane, entity)
        for place in range(len(entity) - content.new, len(entity)):
            if place > len(topic):
                raise Violation(f"lane {lane}: output {place} is published, and {len(topic)} never was")
            if place < len(topic) and topic[place] != entity[place]:
                raise Violation(
                    f"lane {lane}: output {place} is published as {topic[place]!r}, and as {entity[place]!r}"
                )
            topic = topic[:place] + entity[place] + topic[place + 1 :]
        return world._replace(topics=_with(world.topics, lane, topic))

    def applied(self, world: World, lane: int, run: Sequence[Numbered], told: int) -> World:
        """The world after the transaction that applies these commits."""
        document = world.lanes[lane]
        applied, ledger = document.applied, document.ledger
        others = "".join(other.ledger for other in world.lanes) if self.breaks("shared-ledger") else ledger
        for number, content in run:
            held, there = world.rings[lane][number % self.size]
            if held == number and there != content:
                raise Violation(f"lane {lane}: commit {number} is applied as {content}, and the ring has {there}")
            if number != applied + 1:
                raise Violation(f"lane {lane}: commit {number} is applied after {applied}")
            new = content.entity[len(content.entity) - content.new :]
            worked = "".join(letter for letter in new if letter.islower())
            if set(worked) & set(others):
                raise Violation(f"lane {lane}: an id of {worked!r} is in the ledger: the lane can't be applied")
            applied, ledger = number, ledger + new
        content = run[-1][1]
        self._check(lane, content.entity)
        if content.entity != ledger:
            raise Violation(f"lane {lane}: the entity is {content.entity!r}, and the ledger has {ledger!r}")
        after = LaneDocument(applied, max(document.told, told), ledger, content)
        return world._replace(lanes=_with(world.lanes, lane, after))

    def decisions(self, world: World, lane: int, owner: Owner) -> Iterator[Commit]:
        """What may be committed next: one record or two, or that a timer was reached."""
        document, before = world.lanes[lane], owner.after
        if self.breaks("parked-of-documents"):
            before = before._replace(parked=document.last.parked)
        known = document.ledger if self.breaks("filter-forgets") else before.entity
        done = before
        for record in self._records[lane][before.next : before.next + 2]:
            worked = self._worked(world, done, record, known)
            if worked is None:
                break
            new = worked.entity[len(before.entity) :]
            known += new
            done = worked
            yield worked._replace(new=len(new))
        timers = document.last.timers if self.breaks("timers-of-documents") else before.timers
        if timers:
            yield before._replace(new=1, entity=before.entity + timers.upper(), timers="")

    def _worked(self, world: World, before: Commit, record: str, known: str) -> Commit | None:
        """The state after one record, and None while it is not there yet."""
        after = before._replace(next=before.next + 1)
        if record == "v":
            if not world.topics[0]:
                return None
            found = len(self._view(world))
            if not found:
                raise Violation("a look-up does not see what brought about its own event")
            return after._replace(entity=before.entity + str(found))
        if record == "p":
            failed = not before.parked
            return after._replace(entity=before.entity + ("P" if failed else "p"), parked=failed)
        if record in known or record.upper() in known:
            return after
        if before.parked:
            return after._replace(entity=before.entity + record.upper())
        timers = before.timers + record if record == "s" else before.timers
        return after._replace(entity=before.entity + record, timers=timers)

    def _view(self, world: World) -> str:
        document = world.lanes[0]
        if self.breaks("views-of-documents"):
            return document.last.entity
        return _stand(document, tuple((n, content) for n, content in world.rings[0] if content)).after.entity

    def unanswered(self, world: World, name: str, message: Message) -> Iterator[Step]:
        """Its sender hears nothing of the message, which takes effect later or never."""
        if len(world.unanswered) < self._most_unanswered:
            after = world._replace(unanswered=tuple(sorted((*world.unanswered, message), key=hash)))
            yield Step(f"{name} no answer to {message}", True, after)

    def may_write(self, owner: Owner) -> bool:
        """Part 2."""
        former = owner.last + 1 - self.size
        return (former <= owner.applied or self.breaks("overwrites-unapplied")) and (
            former <= owner.published or self.breaks("overwrites-unpublished")
        )

    def _check(self, lane: int, entity: str) -> None:
        """Raise Violation unless records were worked in their order, each timer once, after it was set."""
        if entity.count("S") > 1 or ("S" in entity and "s" not in entity[: entity.index("S")]):
            raise Violation(f"lane {lane}: a timer of {entity!r} was reached twice, or before it was set")
        records = "".join("v" if letter.isdigit() else letter for letter in entity if letter != "S")
        if not self._expected[lane].startswith(records):
            raise Violation(f"lane {lane}: worked as {records!r}, and in order it is {self._expected[lane]!r}")

    def _is_at_its_end(self, world: World) -> bool:
        for lane, document in enumerate(world.lanes):
            last, expected = document.last, self._expected[lane]
            entity = last.entity
            if (
                last.next != len(self._records[lane])
                or last.timers
                or not entity == document.ledger == world.topics[lane]
            ):
                return False
            self._check(lane, entity)
            if len(entity) - entity.count("S") != len(expected):
                raise Violation(f"lane {lane}: {entity!r} was worked, and {expected!r} was there")
        return True


class _Actor:
    """One process and one lane, and what it may do next."""

    def __init__(self, model: RingModel, world: World, process: int, lane: int, name: str) -> None:
        self.name = name
        self._model = model
        self._world = world
        self._process = process
        self._lane = lane

    def remembers(self, memory: Memory, world: World | None = None) -> World:
        world = world or self._world
        memories = _with(world.processes[self._process], self._lane, memory)
        return _remembering(world, self._process, memories)

    def began(self) -> Step:
        """Part 6."""
        if self._model.snapshot:
            ring = self._world.rings[self._lane]
            found = tuple((number, content) for number, content in ring if content is not None)
            owner = _stand(self._world.lanes[self._lane], found)
            return Step(f"{self.name}: recovers, and stands at {owner.last}", False, self.remembers(owner))
        document = None if self._model.breaks("lane-read-last") else self._world.lanes[self._lane]
        return Step(f"{self.name}: begins a recovery", False, self.remembers(Reading(document, (), 0)))

    def read(self, memory: Reading) -> Iterator[Step]:
        """Part 6, one step for each document: a query is no snapshot."""
        if memory.cursor < self._model.size:
            number, content = self._world.rings[self._lane][memory.cursor]
            found = memory.found if content is None else tuple(sorted((*memory.found, (number, content))))
            after = self.remembers(Reading(memory.lane, found, memory.cursor + 1))
            yield Step(f"{self.name}: reads document {memory.cursor}, commit {number}", False, after)
        elif memory.lane is None:
            after = self.remembers(memory._replace(lane=self._world.lanes[self._lane]))
            yield Step(f"{self.name}: reads the lane document", False, after)
        else:
            owner = _stand(memory.lane, memory.found, behind_gaps=self._model.breaks("stands-behind-a-gap"))
            yield Step(f"{self.name}: stands at {owner.last}", False, self.remembers(owner))

    def work(self, owner: Owner) -> Iterator[Step]:
        if owner.unpublished:
            yield from self._publish_found(owner)
            return
        yield from self._publish(owner)
        yield from self._apply(owner)
        if self._model.may_write(owner):
            yield from self._commit(owner)

    def _publish_found(self, owner: Owner) -> Iterator[Step]:
        (number, content), *rest = owner.unpublished
        world = self._model.published(self._world, self._lane, content)
        after = self.remembers(owner._replace(unpublished=tuple(rest)), world)
        yield Step(f"{self.name}: publishes {number}, which it found", False, after)
        yield from self._model.unanswered(self._world, f"{self.name}:", Publish(self._lane, content))

    def _publish(self, owner: Owner) -> Iterator[Step]:
        for number, content in owner.own:
            if number == owner.published + 1:
                world = self._model.published(self._world, self._lane, content)
                after = self.remembers(_kept(owner._replace(published=number)), world)
                yield Step(f"{self.name}: publishes {number}", False, after)
                yield from self._model.unanswered(self._world, f"{self.name}:", Publish(self._lane, content))

    def _apply(self, owner: Owner) -> Iterator[Step]:
        told = owner.last if self._model.breaks("told-too-much") else owner.published
        run = tuple((number, content) for number, content in owner.own if number > owner.applied)
        for count in range(len(run), 0, -1):
            apply = Apply(self._lane, owner.applied, run[:count], told)
            world = self._model.arrive(self._world, apply)
            last = run[count - 1][0]
            if world is None:
                yield Step(f"{self.name}: its apply is refused", False, self.remembers(None))
            else:
                after = self.remembers(_kept(owner._replace(applied=last)), world)
                yield Step(f"{self.name}: applies up to {last}", False, after)
            yield from self._model.unanswered(self._world, f"{self.name}:", apply)

    def _commit(self, owner: Owner) -> Iterator[Step]:
        model, world = self._model, self._world
        for content in model.decisions(world, self._lane, owner):
            write = Write(self._lane, owner.last + 1, content)
            if not model.fits(world, write):
                yield Step(f"{self.name}: commit {write.number} is refused", False, self.remembers(None))
            else:
                if write.number <= world.lanes[self._lane].applied:
                    raise Violation(f"commit {write.number} is acknowledged, and another one was applied before")
                after = self.remembers(_committed(owner, write), model.written(world, write))
                yield Step(f"{self.name}: commits {write.number} = {content}", False, after)
                if model.breaks("delivered-twice"):
                    yield from model.unanswered(after, f"{self.name}: the network keeps a copy,", write)
            memory = owner if model.breaks("unknown-taken-for-failure") else None
            yield from model.unanswered(self.remembers(memory), f"{self.name}:", write)
            if model.breaks("sends-ahead"):
                yield from self._send_ahead(owner, write)

    def _send_ahead(self, owner: Owner, first: Write) -> Iterator[Step]:
        model, ahead = self._model, _committed(owner, first)
        if not model.may_write(ahead):
            return
        for content in model.decisions(self._world, self._lane, ahead):
            second = Write(self._lane, first.number + 1, content)
            if model.fits(self._world, second):
                world = model.written(self.remembers(None), second)
                yield from model.unanswered(world, f"{self.name}: {second.number} arrives before it,", first)


def _in_order(records: str) -> str:
    """The letters of the entity if one process works the records alone."""
    worked, parked = "", False
    for record in records:
        if record == "p":
            parked = not parked
            worked += "P" if parked else "p"
        elif record not in worked.lower() or record == "v":
            worked += record.upper() if parked else record
    return worked


def _stand(lane: LaneDocument, found: Sequence[Numbered], *, behind_gaps: bool = False) -> Owner:
    """The owner after a recovery that found these commits, in the order of their numbers."""
    last, after, run = lane.applied, lane.last, list[Numbered]()
    for number, content in sorted(found):
        if number == last + 1 or (behind_gaps and number > last):
            last, after = number, content
            run.append((number, content))
    unpublished = tuple((number, content) for number, content in sorted(found) if lane.told < number <= last)
    return Owner(last, after, lane.applied, last, tuple(run), unpublished)


def _committed(owner: Owner, write: Write) -> Owner:
    return owner._replace(last=write.number, after=write.content, own=(*owner.own, (write.number, write.content)))


def _kept(owner: Owner) -> Owner:
    """Without the commits that are applied and published."""
    done = min(owner.applied, owner.published)
    return owner._replace(own=tuple((number, content) for number, content in owner.own if number > done))


def _with(values: tuple, place: int, value: object) -> tuple:  # type: ignore[type-arg]
    return (*values[:place], value, *values[place + 1 :])


def _remembering(world: World, process: int, memories: tuple[Memory, ...]) -> World:
    return world._replace(processes=_with(world.processes, process, memories))
