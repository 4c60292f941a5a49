package lock

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	recordVersion = 1
	recordTime    = "2006-01-02T15:04:05" // in UTC, which it does not say
)

// record is what Kazoo stores of who has a lease: a JSON object.
type record struct {
	holder string
	end    time.Time // in whole seconds
}

// newRecord is one that ends at the whole second before end.
func newRecord(holder string, end time.Time) *record {
	return &record{holder: holder, end: end.UTC().Truncate(time.Second)}
}

func (r *record) equal(other *record) bool {
	return other != nil && r.holder == other.holder && r.end.Equal(other.end)
}

// bytes writes it as Python's json.dumps does, to the byte.
func (r *record) bytes() []byte {
	return fmt.Appendf(nil, `{"version": %d, "holder": %s, "end": "%s"}`, recordVersion, quotePython(r.holder), r.end.Format(recordTime))
}

// parseRecord reads what Kazoo would read.
func parseRecord(data []byte) (*record, error) {
	var in struct {
		Version *int    `json:"version"`
		Holder  *string `json:"holder"`
		End     *string `json:"end"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("%w: no JSON object: %w", ErrLeaseFormat, err)
	}
	if in.Version == nil || *in.Version != recordVersion {
		return nil, fmt.Errorf("%w: its version is not %d", ErrLeaseFormat, recordVersion)
	}
	if in.Holder == nil || in.End == nil {
		return nil, fmt.Errorf("%w: it has no holder, or no end", ErrLeaseFormat)
	}
	end, err := time.Parse(recordTime, *in.End)
	if err != nil {
		return nil, fmt.Errorf("%w: its end is no time such as %s: %w", ErrLeaseFormat, recordTime, err)
	}
	return &record{holder: *in.Holder, end: end}, nil
}

func validText(s string) bool { return utf8.ValidString(s) }

// quotePython writes a string as json.dumps does: all that is not printable ASCII is escaped.
func quotePython(s string) string {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch esc, ok := short[r]; {
		case ok:
			b.WriteString(esc)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
