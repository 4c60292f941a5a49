package client

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCheckPath(t *testing.T) {
	for _, path := range []string{
		"/", "/a", "/a/b/c", "/a b", "/köln/straße", "/日本", "/...", "/.a", "/a.", "/..a", "/a/.b/c..",
		"/\u00a0", "/\ud7ff", "/\uf900", "/\uffef", "/\u0020",
	} {
		require.NoError(t, CheckPath(path), "%q", path)
		require.NoError(t, checkPath(path, true), "%q", path)
	}
	for path, rule := range map[string]string{
		"":               "empty",
		"a":              "begin with /",
		"a/b":            "begin with /",
		" /a":            "begin with /",
		"/a/":            "end with /",
		"//":             "end with /",
		"//a":            "empty element",
		"/a//b":          "empty element",
		"/.":             "relative",
		"/..":            "relative",
		"/a/./b":         "relative",
		"/a/../b":        "relative",
		"/a/..":          "relative",
		"/a\x00b":        "U+0000 at byte 2",
		"/\x01":          "U+0001 at byte 1",
		"/a\x1f":         "U+001F",
		"/a\n":           "U+000A",
		"/a\x7f":         "U+007F",
		"/a\u009f":       "U+009F",
		"/a\ue000":       "U+E000",
		"/a\uf8ff":       "U+F8FF",
		"/a\ufff0":       "U+FFF0",
		"/a\uffff":       "U+FFFF",
		"/a\U0001f600":   "U+1F600", // two surrogates to a server
		"/a\U0010ffff":   "U+10FFFF",
		"/a\xff":         "UTF-8",
		"/a\xed\xa0\x80": "UTF-8",
	} {
		err := CheckPath(path)
		require.ErrorIs(t, err, ErrBadPath, "%q", path)
		require.ErrorContains(t, err, rule, "%q", path)
		require.ErrorContains(t, err, quoted(path), "the value")
	}
}

// A sequential node's name is followed by a number, which makes good what would not
// be a name by itself.
func TestCheckPathSequential(t *testing.T) {
	for _, path := range []string{"/a/", "/a/.", "/a/..", "/a/b-"} {
		require.NoError(t, checkPath(path, true), "%q", path)
	}
	for _, path := range []string{"", "a", "/a//", "//", "/./b", "/a\x00"} {
		require.ErrorIs(t, checkPath(path, true), ErrBadPath, "%q", path)
	}
}

func TestCheckPathLong(t *testing.T) {
	err := checkPath("/"+strings.Repeat("x", 1<<20)+"/", false)
	require.ErrorIs(t, err, ErrBadPath)
	require.ErrorContains(t, err, "1048578 bytes")
	require.Less(t, len(err.Error()), 400)
}

// naivePath is ZooKeeper's rule, written down as slowly as possible.
func naivePath(path string) bool {
	if path == "/" {
		return true
	}
	if !utf8.ValidString(path) || !strings.HasPrefix(path, "/") {
		return false
	}
	for _, element := range strings.Split(path, "/")[1:] {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	for _, r := range path {
		bad := r <= 0x1f || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0
		if bad {
			return false
		}
	}
	return true
}

func FuzzCheckPath(f *testing.F) {
	for _, s := range []string{"/", "/a", "", "a", "/a/", "//", "/a//b", "/..", "/a/./b", "/\x00", "/\u007f", "/\ufff0", "/\U0001f600", "/\xff", "/é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		require.Equal(t, naivePath(path), checkPath(path, false) == nil, "%q", path)
		require.Equal(t, path == "/" || naivePath(path+"0"), checkPath(path, true) == nil, "%q sequential", path)
		if checkPath(path, false) == nil && path != "/" {
			require.Equal(t, path, Join(parentOf(path), baseOf(path)))
		}
	})
}

func TestJoin(t *testing.T) {
	require.Equal(t, "/a", Join("/", "a"))
	require.Equal(t, "/a/b", Join("/a", "b"))
	for path, want := range map[string][2]string{"/a": {"/", "a"}, "/a/b": {"/a", "b"}, "/": {"/", ""}, "/a/b/c-": {"/a/b", "c-"}} {
		require.Equal(t, want, [2]string{parentOf(path), baseOf(path)}, path)
	}
}

func TestChrootPaths(t *testing.T) {
	for root, pairs := range map[chroot][][2]string{
		"":     {{"/", "/"}, {"/a", "/a"}},
		"/app": {{"/", "/app"}, {"/a", "/app/a"}, {"/a/b", "/app/a/b"}, {"/app", "/app/app"}},
	} {
		for _, p := range pairs {
			require.Equal(t, p[1], root.outward(p[0]))
			require.Equal(t, p[0], root.inward(p[1]))
		}
	}
	require.Equal(t, "/other", chroot("/app").inward("/other"), "what is not below the chroot is left as it is")
	require.Equal(t, "/apple", chroot("/app").inward("/apple"), "a name that begins like the chroot is not below it")
}
