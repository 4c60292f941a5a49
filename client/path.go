package client

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// CheckPath returns nil if path can be the path of a node, and otherwise an error
// that names the rule it breaks ([ErrBadPath]). Nothing is sent.
func CheckPath(path string) error { return checkPath(path, false) }

// checkPath applies ZooKeeper's rules (PathUtils.validatePath), whose violation
// some servers answer by cutting the connection. A sequential node may end with a
// slash: its name is then the bare number.
func checkPath(path string, sequential bool) error {
	bad := func(rule string) error {
		return fmt.Errorf("%w %s: %s", ErrBadPath, quoted(path), rule)
	}
	switch {
	case path == "":
		return bad("it is empty")
	case path[0] != '/':
		return bad("it must begin with /")
	case !utf8.ValidString(path):
		return bad("it is not valid UTF-8")
	case path == "/":
		return nil
	}
	if sequential {
		path += "0"
	}
	if strings.HasSuffix(path, "/") {
		return bad("it must not end with /")
	}
	for element := range strings.SplitSeq(path[1:], "/") {
		switch element {
		case "":
			return bad("it has an empty element (//)")
		case ".", "..":
			return bad("relative elements (. and ..) are not allowed")
		}
	}
	for i, r := range path {
		if r == 0 || r <= 0x1f || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0 { // above 0xffff are surrogates to a server
			return bad(fmt.Sprintf("character %U at byte %d is not allowed", r, i))
		}
	}
	return nil
}

// quoted is path for an error text: printable and not longer than a line.
func quoted(path string) string {
	const most = 120
	if len(path) > most {
		return fmt.Sprintf("%q… (%d bytes)", path[:most], len(path))
	}
	return fmt.Sprintf("%q", path)
}

// legible is path as it is, unless that would not do for an error text.
func legible(path string) string {
	if q := quoted(path); len(q) != len(path)+2 {
		return q
	}
	return path
}

// parentOf returns the parent's path; that of a top-level node is "/".
func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

// baseOf returns the last element of a path.
func baseOf(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Join appends the name of a child to a node's path, which may be "/". It checks neither: that is
// done by whatever the result is given to, and by [CheckPath].
func Join(path, name string) string {
	if path == "/" {
		return "/" + name
	}
	return path + "/" + name
}

// chroot maps the caller's paths to the servers' and back.
type chroot string

func (c chroot) outward(path string) string {
	if c == "" {
		return path
	}
	if path == "/" {
		return string(c)
	}
	return string(c) + path
}

func (c chroot) inward(path string) string {
	rest, ok := strings.CutPrefix(path, string(c))
	switch {
	case rest == "":
		return "/"
	case !ok || rest[0] != '/': // an event about something elsewhere: leave it
		return path
	}
	return rest
}
