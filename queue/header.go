package queue

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"net/url"
)

// header is what stands before an item's bytes in the native layout: a line of text, so that people
// can read it, of which what is not known is skipped.
//
//	zq1 a=2 k=600 r=decode\n
type header struct {
	attempts int           // a: leases that there were before the item was moved to where it is
	keep     time.Duration // k: for how long its id is remembered, in seconds
	reason   string        // r: why it is a dead letter
}

const (
	headerMagic = "zq1"
	maxHeader   = 1024 // longer ones are none of ours
)

func (h header) seal(data []byte) []byte {
	out := make([]byte, 0, len(headerMagic)+32+len(data))
	out = append(out, headerMagic...)
	if h.attempts > 0 {
		out = strconv.AppendInt(append(out, " a="...), int64(h.attempts), 10)
	}
	if h.keep > 0 {
		out = strconv.AppendInt(append(out, " k="...), int64((h.keep+time.Second-1)/time.Second), 10)
	}
	if h.reason != "" {
		out = append(append(out, " r="...), url.PathEscape(h.reason)...)
	}
	return append(append(out, '\n'), data...)
}

// unseal takes the header off. The error is ErrBadItem.
func unseal(data []byte) (h header, body []byte, err error) {
	end := bytes.IndexByte(data[:min(len(data), maxHeader)], '\n')
	if end < 0 {
		return h, nil, fmt.Errorf("%w: it has no header of this layout", ErrBadItem)
	}
	words := strings.Split(string(data[:end]), " ")
	if words[0] != headerMagic {
		return h, nil, fmt.Errorf("%w: its header begins with %q, not %q", ErrBadItem, words[0], headerMagic)
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		var n int64
		switch key {
		case "a":
			n, err = strconv.ParseInt(value, 10, 31)
			h.attempts = int(n)
		case "k":
			n, err = strconv.ParseInt(value, 10, 32)
			h.keep = time.Duration(n) * time.Second
		case "r":
			h.reason, err = url.PathUnescape(value)
		}
		if err == nil && n < 0 {
			err = strconv.ErrRange
		}
		if err != nil {
			return header{}, nil, fmt.Errorf("%w: header %q: %w", ErrBadItem, word, err)
		}
	}
	return h, data[end+1:], nil
}
