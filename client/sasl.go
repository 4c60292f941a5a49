package client

import "github.com/zookit/zookit/internal/sasl"

// WithSASLDigest logs in at every server by SASL DIGEST-MD5, before anything else is
// sent, and has the server prove that it knows the password, too. ACLs then name the
// user as scheme "sasl", id user. The password does not go over the wire; requests do,
// as they are, so use [WithTLS] where others can listen.
//
// A login that fails closes the client with [ErrAuthFailed]: an unknown user, a wrong
// password, a server that has no users configured or does not know the password.
// user and password have 1 to 1024 bytes of UTF-8 and no control characters. Given
// twice, the last one counts. It does not exclude [WithAuth].
func WithSASLDigest(user, password string) Option {
	return func(s *settings) error {
		login, err := sasl.NewLogin(user, password)
		if err != nil {
			return badOption("WithSASLDigest", "%w", err)
		}
		s.sasl = login
		return nil
	}
}

// SASLACL gives perms to clients that log in as user, see [WithSASLDigest]. Servers
// know the scheme if SASLAuthenticationProvider is among their authProviders;
// otherwise they answer with [ErrInvalidACL].
func SASLACL(perms Perms, user string) ACL { return ACL{Perms: perms, Scheme: "sasl", ID: user} }
