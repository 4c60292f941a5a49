package sasl

import (
	"bytes"
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
)

var (
	// ErrMalformed means that what the server sent is no message of DIGEST-MD5.
	ErrMalformed = errors.New("malformed DIGEST-MD5 message")
	// ErrUnsupported means that the server asks for a kind of DIGEST-MD5 that is not
	// this package's, or for one in which the login cannot be expressed.
	ErrUnsupported = errors.New("unsupported kind of DIGEST-MD5")
	// ErrUnproven means that the server has not shown that it knows the password:
	// it is not the one it pretends to be.
	ErrUnproven = errors.New("the server does not know the password")
)

const (
	// maxResponse is the limit of RFC 2831 for what a client sends.
	maxResponse = 4096
	// firstUse is the count of a nonce that is used once only.
	firstUse = "00000001"
)

// Exchange is one login: [Exchange.Respond], then [Exchange.Verify], each once.
type Exchange struct {
	login  *Login
	uri    string
	cnonce string
	proof  string // what the server has to answer; empty before Respond
}

// Respond answers the server's challenge. Errors: [ErrMalformed], [ErrUnsupported].
func (x *Exchange) Respond(message []byte) ([]byte, error) {
	c, err := parseChallenge(message)
	if err != nil {
		return nil, err
	}
	user, narrow := latin1(x.login.user)
	password, narrow2 := latin1(x.login.password())
	name, realm := []byte(x.login.user), c.realm
	if c.utf8 {
		realm, _ = latin1(string(c.realm))
	} else {
		if !narrow || !narrow2 {
			return nil, fmt.Errorf("%w: the server takes ISO 8859-1 only, and user name or password have other characters", ErrUnsupported)
		}
		name = user
	}
	secret := digest(user, realm, password)
	session := digest(secret[:], c.nonce, []byte(x.cnonce))
	answer := func(prefix string) string {
		what := md5.Sum([]byte(prefix + ":" + x.uri))
		sum := digest(hexOf(session), c.nonce, []byte(firstUse), []byte(x.cnonce), []byte("auth"), hexOf(what))
		return string(hexOf(sum))
	}
	x.proof = answer("")

	var b bytes.Buffer
	if c.utf8 {
		b.WriteString("charset=utf-8,")
	}
	fmt.Fprintf(&b, "username=%s,", quote(name))
	if c.hasRealm {
		fmt.Fprintf(&b, "realm=%s,", quote(c.realm))
	}
	fmt.Fprintf(&b, "nonce=%s,nc=%s,cnonce=%s,digest-uri=%s,response=%s,qop=auth",
		quote(c.nonce), firstUse, quote([]byte(x.cnonce)), quote([]byte(x.uri)), answer("AUTHENTICATE"))
	if b.Len() >= maxResponse {
		return nil, fmt.Errorf("%w: the response would have %d bytes, the limit is %d", ErrUnsupported, b.Len(), maxResponse-1)
	}
	return b.Bytes(), nil
}

// Verify checks the server's last message. Errors: [ErrMalformed], [ErrUnproven].
func (x *Exchange) Verify(message []byte) error {
	all, err := parseDirectives(message)
	if err != nil {
		return err
	}
	proof, ok, err := single(all, "rspauth")
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: no rspauth in the server's last message", ErrMalformed)
	case x.proof == "" || subtle.ConstantTimeCompare(proof, []byte(x.proof)) != 1:
		return ErrUnproven
	}
	return nil
}

// digest hashes parts with colons between them.
func digest(parts ...[]byte) [md5.Size]byte { return md5.Sum(bytes.Join(parts, []byte(":"))) }

func hexOf(sum [md5.Size]byte) []byte { return hex.AppendEncode(nil, sum[:]) }
