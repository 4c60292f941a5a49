package sasl

import (
	"crypto/fips140"
	"crypto/rand"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxName bounds user and password, so that a response stays below what RFC 2831 allows.
const maxName = 1024

// Login is a user with a password. It prints as the user's name.
type Login struct {
	user string
	// A function, since package fmt shows strings however deep they lie.
	password func() string
}

// NewLogin checks what can be checked without a server.
func NewLogin(user, password string) (*Login, error) {
	if err := checkText(user); err != nil {
		return nil, fmt.Errorf("user name: %w", err)
	}
	if err := checkText(password); err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	if fips140.Enforced() {
		return nil, errors.New("DIGEST-MD5 needs MD5, which GODEBUG=fips140=only forbids: log in with a TLS certificate")
	}
	return &Login{user: user, password: func() string { return password }}, nil
}

// checkText says what is wrong with a name or a password, without showing it.
func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("it is empty")
	case len(s) > maxName:
		return fmt.Errorf("it has %d bytes, the limit is %d", len(s), maxName)
	case !utf8.ValidString(s):
		return errors.New("it is not UTF-8")
	}
	for i, r := range s {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("it has a control character at byte %d", i)
		}
	}
	return nil
}

// User returns the user's name.
func (l *Login) User() string { return l.user }

// String returns the user's name.
func (l *Login) String() string { return l.user }

// GoString keeps the password out of what %#v prints.
func (l *Login) GoString() string { return fmt.Sprintf("sasl.Login(%q)", l.user) }

// Start begins a login at a service on a host, as the server names them.
func (l *Login) Start(service, host string) *Exchange {
	return &Exchange{login: l, uri: service + "/" + host, cnonce: rand.Text()}
}
