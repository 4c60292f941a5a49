// Package services holds the tests that zookit's package discovery and Curator's x-discovery find each other's
// instances, on a real server: a program of Curator's, in a process of its own, reads what zookit writes and writes it again, to the
// byte; each registers, updates, disables and unregisters instances that the other one watches; one is killed, one
// loses its session.
//
// The program, testdata/curator/Peer.java, is told what to do by lines on its standard input and answers each by one
// line. Documents are in base64:
//
//	rewrite CLASS FULL JSON    read an instance whose payload has that class, and write it: "JSON"
//	register JSON              register it, replacing one of that id: "done"
//	unregister JSON            "done"
//	query NAME                 the instances of a service: "JSON JSON ..."
//	cached NAME                the same from a ServiceCache, which the first of these starts
//
// What Spring Cloud Zookeeper keeps in an instance is a class of its own; testdata has one of the same name and with the
// same properties in its place.
package services
