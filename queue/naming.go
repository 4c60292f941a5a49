package queue

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// namings returns how the items of a layout are named.
func namings(l Layout) naming {
	switch l {
	case KazooQueue, KazooLockingQueue:
		return naming{prefix: func(e *entry) string { return fmt.Sprintf("entry-%03d-", e.priority) }, parse: parseKazoo, ranked: true}
	case CuratorSimpleQueue:
		return naming{prefix: func(*entry) string { return "qn-" }, parse: parsePlain("qn-")}
	case CuratorQueue:
		return naming{prefix: func(*entry) string { return "queue-" }, parse: parsePlain("queue-"), framed: true}
	case CuratorPriorityQueue:
		return naming{prefix: func(e *entry) string { return "queue-" + levelName(e.priority) }, parse: parseRanked, framed: true, ranked: true}
	case CuratorDelayQueue:
		return naming{prefix: delayedPrefix, parse: parseTimed, framed: true, byTime: true, ranked: true}
	case CuratorIDQueue:
		return naming{prefix: func(e *entry) string { return "queue-|" + fixID(e.id) + "|" }, parse: parseNamed, framed: true, byTail: true}
	case Native:
	}
	panic("the native layout has names of its own")
}

// parseKazoo: entry-100-0000000001.
func parseKazoo(name string) (*candidate, bool) {
	before, number, ok := sequence(name)
	if !ok || len(before) != len("entry-100-") || before[:6] != "entry-" || before[9] != '-' {
		return nil, false
	}
	p, err := strconv.ParseUint(before[6:9], 10, 16)
	return &candidate{priority: int32(p), number: number}, err == nil
}

// parsePlain: queue-0000000001.
func parsePlain(prefix string) func(name string) (*candidate, bool) {
	return func(name string) (*candidate, bool) {
		before, number, ok := sequence(name)
		return &candidate{number: number}, ok && before == prefix
	}
}

// parseRanked: queue-1000000050000000001, a sign, eight hexadecimal digits and the number.
func parseRanked(name string) (*candidate, bool) {
	before, number, ok := sequence(name)
	level, isQueue := strings.CutPrefix(before, "queue-")
	p, isLevel := parseLevel(level)
	return &candidate{priority: p, number: number}, ok && isQueue && isLevel
}

// delayedPrefix is the name of an item of Curator's DistributedDelayQueue, which wants a time for each.
func delayedPrefix(e *entry) string { return fmt.Sprintf("queue-|%08X|", max(e.due, 1)) }

// parseTimed: queue-|18F1A2B3C4D|0000000001, the time in milliseconds. Curator takes what it cannot read for due.
func parseTimed(name string) (*candidate, bool) {
	middle, number, ok := between(name)
	due, err := strconv.ParseInt(middle, 16, 64)
	return &candidate{due: due, number: number}, ok && err == nil && due >= 0
}

// parseNamed: queue-|id|0000000001.
func parseNamed(name string) (*candidate, bool) {
	id, number, ok := between(name)
	return &candidate{id: id, named: true, number: number}, ok && id != ""
}

// between returns what is between the bars of a name.
func between(name string) (middle string, number int32, ok bool) {
	before, number, ok := sequence(name)
	rest, isQueue := strings.CutPrefix(before, "queue-|")
	middle, end := strings.CutSuffix(rest, "|")
	return middle, number, ok && isQueue && end && !strings.Contains(middle, "|")
}

// fixID writes an id as Curator does.
func fixID(id string) string { return strings.NewReplacer("/", "_", "|", "_").Replace(id) }

// Curator's ItemSerializer: a version, the items, each with a mark and its length, and an end.
const (
	frameVersion = 0x00010001
	frameItem    = 0x01
	frameEnd     = 0x02
)

func frame(items ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, frameVersion)
	for _, item := range items {
		out = append(out, frameItem)
		out = binary.BigEndian.AppendUint32(out, uint32(len(item)))
		out = append(out, item...)
	}
	return append(out, frameEnd)
}

// unframe is the reverse of frame. The error is ErrBadItem.
func unframe(data []byte) ([][]byte, error) {
	bad := func(what string) ([][]byte, error) {
		return nil, fmt.Errorf("%w: as Curator's items: %s", ErrBadItem, what)
	}
	if len(data) < 5 || binary.BigEndian.Uint32(data) != frameVersion {
		return bad("it does not begin with their version")
	}
	var out [][]byte
	for rest := data[4:]; ; {
		if len(rest) == 0 {
			return bad("it has no end")
		}
		mark := rest[0]
		if rest = rest[1:]; mark == frameEnd {
			break
		}
		if mark != frameItem || len(rest) < 4 {
			return bad(fmt.Sprintf("mark %#x where an item or the end should be", mark))
		}
		n := binary.BigEndian.Uint32(rest)
		if rest = rest[4:]; uint64(n) > uint64(len(rest)) {
			return bad(fmt.Sprintf("an item of %d bytes where %d are left", n, len(rest)))
		}
		out, rest = append(out, bytes.Clone(rest[:n])), rest[n:]
	}
	if len(out) == 0 {
		return bad("there is no item in it")
	}
	return out, nil
}
