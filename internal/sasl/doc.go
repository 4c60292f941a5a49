// Package sasl is the client's side of the SASL mechanism DIGEST-MD5 (RFC 2831), as
// far as ZooKeeper's servers use it: authentication only (qop "auth", algorithm
// "md5-sess"), one login per connection, no authorization id.
//
//	login, err := sasl.NewLogin("worker", password)
//	x := login.Start("zookeeper", "zk-sasl-md5")
//	response, err := x.Respond(challenge) // of the server
//	err = x.Verify(verdict)               // of the server, too
//
// Guaranteed: the password is in no error and in nothing that is printed; it does
// not go over the wire; whatever a server sends leads to an answer or an error,
// never to a panic; and after Verify the server has proved that it knows the password.
//
// Not guaranteed: secrecy of anything that follows, and safety from who listens and
// then guesses passwords. Both are TLS's to give. User names and passwords are
// compared as they are, without Unicode normalization.
package sasl
