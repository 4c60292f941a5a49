package sasl

// latin1 turns a string into ISO 8859-1 if that has all its characters; otherwise it
// returns false and the string as it is. It is what gets hashed in both cases.
func latin1(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return []byte(s), false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// quote writes a quoted-string.
func quote(s []byte) []byte {
	out := append(make([]byte, 0, len(s)+2), '"')
	for _, b := range s {
		if b == '"' || b == '\\' {
			out = append(out, '\\')
		}
		out = append(out, b)
	}
	return append(out, '"')
}
