package discovery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Encode writes an instance as Curator's JsonInstanceSerializer does, byte for byte. The key "enabled", which the
// serializer leaves out by default, is written for an instance that is disabled, and with full always. Errors:
// [ErrBadInstance].
func Encode(i Instance, full bool) ([]byte, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	b := appendString([]byte(`{"name":`), i.Name)
	b = appendString(append(b, `,"id":`...), i.ID)
	b = appendString(append(b, `,"address":`...), i.Address)
	b = appendPort(append(b, `,"port":`...), i.Port)
	b = appendPort(append(b, `,"sslPort":`...), i.SSLPort)
	b = append(b, `,"payload":`...)
	if i.Payload == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, i.Payload...)
	}
	registered := int64(0)
	if !i.Registered.IsZero() {
		registered = i.Registered.UnixMilli()
	}
	b = strconv.AppendInt(append(b, `,"registrationTimeUTC":`...), registered, 10)
	b = appendString(append(b, `,"serviceType":`...), i.Type.String())
	b = append(b, `,"uriSpec":`...)
	if i.URISpec == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, `{"parts":[`...)
		for n, part := range i.URISpec.parts {
			if n > 0 {
				b = append(b, ',')
			}
			b = appendString(append(b, `{"value":`...), part.value)
			b = append(strconv.AppendBool(append(b, `,"variable":`...), part.variable), '}')
		}
		b = append(b, "]}"...)
	}
	if full || i.Disabled {
		b = strconv.AppendBool(append(b, `,"enabled":`...), !i.Disabled)
	}
	return append(b, '}'), nil
}

func appendPort(b []byte, port int) []byte {
	if port == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(port), 10)
}

// appendString writes a string as Jackson does: it escapes quotes, backslashes and control characters, in
// capital hex digits, and what is beyond the first plane as two surrogates, and nothing else.
func appendString(b []byte, s string) []byte {
	const short = "\"\"\\\\\bb\ff\nn\rr\tt"
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t':
			i := 0
			for rune(short[i]) != c {
				i += 2
			}
			b = append(b, '\\', short[i+1])
		case c < ' ':
			b = fmt.Appendf(b, `\u%04X`, c)
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			b = fmt.Appendf(b, `\u%04X\u%04X`, high, low)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}

// number is a number, which Jackson also takes as text, or null.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no whole number", text)
	}
	*n = number(v)
	return nil
}

// Decode reads what Curator's JsonInstanceSerializer has written, or another program in its place: keys that are missing have
// Java's defaults, and those that are not known are ignored. Errors: [ErrBadInstance].
func Decode(data []byte) (Instance, error) {
	var in struct {
		Name, ID, Address   string
		Port, SSLPort       number
		Payload             json.RawMessage
		RegistrationTimeUTC number
		ServiceType         string
		URISpec             *struct {
			Parts []struct {
				Value    string
				Variable bool
			}
		}
		Enabled *bool
	}
	bad := func(why error) (Instance, error) {
		return Instance{}, fmt.Errorf("%w: %w", ErrBadInstance, why)
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return bad(err)
	}
	out := Instance{
		Name: in.Name, ID: in.ID, Address: in.Address, Port: int(in.Port), SSLPort: int(in.SSLPort),
		Registered: time.UnixMilli(int64(in.RegistrationTimeUTC)), Disabled: in.Enabled != nil && !*in.Enabled,
	}
	if string(in.Payload) != "null" && len(in.Payload) > 0 {
		out.Payload = in.Payload
	}
	if in.Port < 0 || in.Port > 65535 || in.SSLPort < 0 || in.SSLPort > 65535 {
		return bad(fmt.Errorf("ports %d and %d", in.Port, in.SSLPort))
	}
	if in.ServiceType != "" {
		i := slices.Index(typeNames[:], in.ServiceType)
		if i < 0 {
			return bad(fmt.Errorf("serviceType %q", in.ServiceType))
		}
		out.Type = ServiceType(i)
	}
	if in.URISpec != nil {
		out.URISpec = &URISpec{}
		for _, p := range in.URISpec.Parts {
			out.URISpec.parts = append(out.URISpec.parts, part{p.Value, p.Variable})
		}
	}
	return out, nil
}
