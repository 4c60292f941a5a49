package counter

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Layout says how a counter's number is written in its node. All programs that share a counter have to use
// the same. The zero Layout is [Long]. A plain value.
type Layout uint8

// The layouts.
const (
	// Long is 8 bytes, big-endian: Curator's DistributedAtomicLong and CachedAtomicLong.
	Long Layout = iota
	// Int is 4 bytes, big-endian: Curator's SharedCount and DistributedAtomicInteger, and Kazoo's Counter
	// with support_curator=True. The numbers are those of an int32.
	Int
	// Text is the number in decimal digits: Kazoo's Counter. A counter of floating-point
	// numbers, which Kazoo's can be, is a conflict.
	Text
)

// String returns the layout's name.
func (l Layout) String() string {
	switch l {
	case Long:
		return "long"
	case Int:
		return "int"
	case Text:
		return "text"
	}
	return fmt.Sprintf("layout(%d)", uint8(l))
}

func (l Layout) known() bool { return l <= Text }

// fits tells whether n is a number of the layout.
func (l Layout) fits(n int64) bool {
	return l != Int || n >= math.MinInt32 && n <= math.MaxInt32
}

// encode never writes empty data: Curator's SharedCount fails on it.
func (l Layout) encode(n int64) []byte {
	switch l {
	case Int:
		return binary.BigEndian.AppendUint32(nil, uint32(int32(n)))
	case Text:
		return strconv.AppendInt(nil, n, 10)
	default:
		return binary.BigEndian.AppendUint64(nil, uint64(n))
	}
}

// decode reads data that is not empty.
func (l Layout) decode(data []byte) (int64, error) {
	switch {
	case l == Long && len(data) == 8:
		return int64(binary.BigEndian.Uint64(data)), nil
	case l == Int && len(data) == 4:
		return int64(int32(binary.BigEndian.Uint32(data))), nil
	case l == Text:
		// As Python's int() reads it, but for underscores, which nobody writes.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: %s is no number in layout %s", ErrLayoutConflict, shown(data), l)
}

// shown is data for an error's text.
func shown(data []byte) string {
	const most = 24
	if len(data) > most {
		return fmt.Sprintf("%q... (%d bytes)", data[:most], len(data))
	}
	return fmt.Sprintf("%q (%d bytes)", data, len(data))
}

// sum adds, if the result is a number of the layout.
func (l Layout) sum(a, b int64) (int64, error) {
	n := a + b
	if b > 0 && n < a || b < 0 && n > a || !l.fits(n) {
		return 0, fmt.Errorf("%w: %d%+d is no number in layout %s", ErrOverflow, a, b, l)
	}
	return n, nil
}
