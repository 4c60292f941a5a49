// Package compatibility holds the tests that write docs/compatibility.md: which
// operations of ZooKeeper's protocol work on the server at hand, and where each feature of
// Kazoo's and Curator's clients is found here. With ZOOKIT_UPDATE_DOCS=1 they write the
// document, otherwise they fail if it is not what they would write.
package compatibility
