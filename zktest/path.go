package zktest

import (
	"strings"
	"unicode/utf8"
)

// validPath tells whether a node can have the path, by ZooKeeper's own rules. What
// is no valid UTF-8 is decoded to U+FFFD, which is not allowed in a path either.
func validPath(path string) bool {
	if path == "/" {
		return true
	}
	if path == "" || path[0] != '/' || path[len(path)-1] == '/' {
		return false
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	for _, r := range path {
		switch {
		case r <= 0x1f, r >= 0x7f && r <= 0x9f, r >= 0xd800 && r <= 0xf8ff, r >= 0xfff0:
			return false
		}
	}
	return utf8.ValidString(path)
}

// splitPath returns the path of the parent and the name of the node. ok is false
// for what has no parent at all. The root is its own parent, as on a real server.
func splitPath(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	switch {
	case i < 0 || strings.IndexByte(path, 0) >= 0:
		return "", "", false
	case i == 0:
		return "/", path[1:], true
	default:
		return path[:i], path[i+1:], true
	}
}

// ownPath tells whether the node belongs to the server and cannot be deleted.
func ownPath(path string) bool {
	switch path {
	case "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config":
		return true
	default:
		return false
	}
}
