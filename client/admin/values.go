package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// values are an answer's values by name. The methods read one each, and return zero for
// one that is not there; of values that cannot be read, the first is remembered in err.
type values struct {
	all map[string]string
	sep string // what stands between name and value, for errors
	err error
}

// lines takes an answer apart that has a name and a value in each line. Lines that have
// not are passed over.
func lines(text, sep string) *values {
	v := &values{all: map[string]string{}, sep: sep}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), sep); ok {
			v.all[name] = value
		}
	}
	return v
}

// need fails for the first of names that is not there.
func (v *values) need(names ...string) {
	for _, name := range names {
		if _, ok := v.all[name]; !ok && v.err == nil {
			v.err = missing(strconv.Quote(name))
		}
	}
}

// whole fails if text ends in the middle of a line.
func (v *values) whole(text string) {
	if !strings.HasSuffix(text, "\n") && v.err == nil {
		v.err = missing("end to its last line")
	}
}

func (v *values) fail(name string) {
	if v.err == nil {
		v.err = malformed(name + v.sep + v.all[name])
	}
}

func (v *values) has(name string) bool {
	_, ok := v.all[name]
	return ok
}

func (v *values) text(name string) string { return v.all[name] }

// integer reads a decimal number, or a hexadecimal one that begins with 0x.
func (v *values) integer(name string) int64 {
	text, ok := v.all[name]
	if !ok {
		return 0
	}
	n, err := integer(text)
	if err != nil {
		v.fail(name)
	}
	return n
}

// small is integer for what the API has as int.
func (v *values) small(name string) int {
	n := v.integer(name)
	if int64(int(n)) != n {
		v.fail(name)
	}
	return int(n)
}

// hex reads a hexadecimal number without 0x before it.
func (v *values) hex(name string) int64 {
	text, ok := v.all[name]
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		v.fail(name)
	}
	return int64(n)
}

// millis reads a number of milliseconds, whole or not.
func (v *values) millis(name string) time.Duration {
	text, ok := v.all[name]
	if !ok {
		return 0
	}
	d, err := millis(text)
	if err != nil {
		v.fail(name)
	}
	return d
}

// ports reads port numbers with bars between: a server may listen at several.
func (v *values) ports(name string) []int {
	text, ok := v.all[name]
	if !ok {
		return nil
	}
	var out []int
	for part := range strings.SplitSeq(text, "|") {
		n, err := strconv.Atoi(part)
		if err != nil {
			v.fail(name)
			return nil
		}
		out = append(out, n)
	}
	return out
}

// slashed reads numbers with slashes between, as many as asked for.
func (v *values) slashed(name string, count int) []string {
	parts := strings.Split(v.all[name], "/")
	if len(parts) != count {
		v.fail(name)
		return make([]string, count)
	}
	return parts
}

// integer takes what does not fit for the next number that does: servers count with
// 64 bits, some without a sign, and a file limit may be "infinite".
func integer(text string) (int64, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 64)
		return int64(n), err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return n, err
}

func millis(text string) (time.Duration, error) {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(f):
		return 0, errors.New("not a number")
	}
	switch f *= float64(time.Millisecond); {
	case f >= math.MaxInt64:
		return math.MaxInt64, nil
	case f <= math.MinInt64:
		return math.MinInt64, nil
	}
	return time.Duration(math.Round(f)), nil
}

// unixMillis is the time of a number of milliseconds since 1970, the zero time for 0.
func (v *values) unixMillis(name string) time.Time {
	n := v.integer(name)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// object takes a JSON object apart: strings without their quotes, everything else as it
// is written, and nothing for null.
func object(body []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil || raw == nil {
		return nil, fmt.Errorf("%w: no JSON object: %s", ErrMalformed, quote(string(body)))
	}
	out := make(map[string]string, len(raw))
	for name, value := range raw {
		var text string
		switch {
		case string(value) == "null":
		case json.Unmarshal(value, &text) == nil:
			out[name] = text
		default:
			out[name] = string(value)
		}
	}
	return out, nil
}

// members is object for an answer's values.
func members(body []byte) (*values, error) {
	all, err := object(body)
	return &values{all: all, sep: ": "}, err
}

// remote makes host:port of the way in which Java writes a socket address:
// name/address:port, either of the first two possibly empty, IPv6 with or without brackets.
func remote(text string) string {
	_, address, ok := strings.Cut(text, "/")
	if !ok {
		address = text
	}
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return address
	}
	ip, err := netip.ParseAddr(strings.Trim(address[:i], "[]"))
	if err != nil {
		return address
	}
	return net.JoinHostPort(ip.String(), address[i+1:])
}

// adopt takes over what went wrong in the values of another part of the answer.
func (v *values) adopt(part *values) {
	if v.err == nil {
		v.err = part.err
	}
}
