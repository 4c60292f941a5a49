package sasl

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxMessage is the limit of RFC 2831 for what a server sends.
const maxMessage = 2048

// challenge is the first message of a server.
type challenge struct {
	nonce    []byte
	realm    []byte // the first that is offered
	hasRealm bool
	utf8     bool // the server takes UTF-8; otherwise ISO 8859-1
}

// parseChallenge reads a challenge and checks that it can be met.
func parseChallenge(message []byte) (*challenge, error) {
	all, err := parseDirectives(message)
	if err != nil {
		return nil, err
	}
	one := map[string][]byte{}
	for _, name := range []string{"nonce", "algorithm", "qop", "charset"} {
		value, ok, err := single(all, name)
		if err != nil {
			return nil, err
		}
		if ok {
			one[name] = value
		}
	}
	c := &challenge{nonce: one["nonce"]}
	if len(c.nonce) == 0 {
		return nil, fmt.Errorf("%w: no nonce in the challenge", ErrMalformed)
	}
	if a := one["algorithm"]; !strings.EqualFold(string(a), "md5-sess") {
		return nil, fmt.Errorf("%w: algorithm %q, not md5-sess", ErrUnsupported, a)
	}
	if qop, ok := one["qop"]; ok && !offers(string(qop), "auth") {
		return nil, fmt.Errorf("%w: qop %q is without auth", ErrUnsupported, qop)
	}
	if charset, ok := one["charset"]; ok {
		if !strings.EqualFold(string(charset), "utf-8") {
			return nil, fmt.Errorf("%w: charset %q, not utf-8", ErrUnsupported, charset)
		}
		c.utf8 = true
	}
	for _, d := range all {
		if d.name == "realm" {
			c.realm, c.hasRealm = d.value, true
			break
		}
	}
	if c.utf8 && !utf8.Valid(c.realm) {
		return nil, fmt.Errorf("%w: realm %q is not UTF-8", ErrMalformed, c.realm)
	}
	return c, nil
}

// offers tells whether a list such as "auth,auth-int" has an element.
func offers(list, wanted string) bool {
	for element := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(element, blanks), wanted) {
			return true
		}
	}
	return false
}

// directive is one name=value, unquoted. Names are in lower case.
type directive struct {
	name  string
	value []byte
}

// single returns the value of a directive that must not come twice.
func single(all []directive, name string) (value []byte, found bool, err error) {
	for _, d := range all {
		if d.name != name {
			continue
		}
		if found {
			return nil, false, fmt.Errorf("%w: %s comes twice", ErrMalformed, name)
		}
		value, found = d.value, true
	}
	return value, found, nil
}

var (
	errNoName  = errors.New("no name of a directive")
	errNoValue = errors.New("a directive without a value")
	errNoComma = errors.New("no comma after a directive")
	errNoQuote = errors.New("a quoted string without an end")
	errControl = errors.New("a control character")
)

const (
	blanks     = " \t\r\n"
	separators = `()<>@,;:\"/[]?={}`
)

// parseDirectives reads a list of directives, with commas and any white space
// between them. Empty elements are allowed.
func parseDirectives(message []byte) ([]directive, error) {
	if len(message) >= maxMessage {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrMalformed, len(message), maxMessage-1)
	}
	p := parser{rest: message}
	var all []directive
	for {
		for p.skip(); p.next() == ','; p.skip() {
			p.rest = p.rest[1:]
		}
		if len(p.rest) == 0 {
			return all, nil
		}
		d, err := p.directive()
		if err != nil {
			return nil, fmt.Errorf("%w: %w at byte %d", ErrMalformed, err, len(message)-len(p.rest))
		}
		all = append(all, d)
	}
}

// parser reads a message from its beginning.
type parser struct {
	rest []byte
}

// next is the next byte, 0 at the end.
func (p *parser) next() byte {
	if len(p.rest) == 0 {
		return 0
	}
	return p.rest[0]
}

func (p *parser) skip() {
	for len(p.rest) > 0 && strings.IndexByte(blanks, p.rest[0]) >= 0 {
		p.rest = p.rest[1:]
	}
}

// directive reads one, up to the comma after it or the end.
func (p *parser) directive() (directive, error) {
	name := p.token()
	if len(name) == 0 {
		return directive{}, errNoName
	}
	if p.skip(); p.next() != '=' {
		return directive{}, errNoValue
	}
	p.rest = p.rest[1:]
	p.skip()
	var value []byte
	if p.next() == '"' {
		var err error
		if value, err = p.quoted(); err != nil {
			return directive{}, err
		}
	} else if value = p.token(); len(value) == 0 {
		return directive{}, errNoValue
	}
	if p.skip(); len(p.rest) > 0 && p.next() != ',' {
		return directive{}, errNoComma
	}
	return directive{name: strings.ToLower(string(name)), value: value}, nil
}

func (p *parser) token() []byte {
	n := 0
	for n < len(p.rest) && p.rest[n] > ' ' && p.rest[n] < 0x7f && strings.IndexByte(separators, p.rest[n]) < 0 {
		n++
	}
	token := p.rest[:n]
	p.rest = p.rest[n:]
	return token
}

// quoted reads a quoted-string. Control characters, which may be in one by the
// letter of the standard, would go back to the server in the response: they are refused.
func (p *parser) quoted() ([]byte, error) {
	value := []byte{}
	for i := 1; i < len(p.rest); i++ {
		b := p.rest[i]
		switch {
		case b == '"':
			p.rest = p.rest[i+1:]
			return value, nil
		case b == '\\' && i+1 < len(p.rest):
			i++
			b = p.rest[i]
		}
		if b < ' ' || b == 0x7f {
			return nil, errControl
		}
		value = append(value, b)
	}
	return nil, errNoQuote
}
