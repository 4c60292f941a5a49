package complete

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestPlaces(t *testing.T) {
	path, optional, other := Place{Path: true}, Place{Path: true, Optional: true}, Place{}
	for use, want := range map[string][]Place{
		"dev":                    nil,
		"get PATH":               {path},
		"ls [PATH]":              {optional},
		"cp FROM TO":             {path, path},
		"diff A B":               {path, path},
		"rm PATH...":             {{Path: true, Rest: true}},
		"rm [PATH...]":           {{Path: true, Optional: true, Rest: true}},
		"grep PATTERN [PATH]":    {other, optional},
		"set PATH [DATA]":        {path, {Optional: true}},
		"owned [PREFIX]":         {{Path: true, Prefix: true, Optional: true}},
		"lock PATH -- COMMAND":   {path},
		"join PATH [-- COMMAND]": {path},
		"take PATH (-- COMMAND [ARG...] | --answer)": {path},
		"run PATH --parties N -- COMMAND":            {path},
		"wait PATH (--exists | --data TEXT)":         {path},
	} {
		require.Equal(t, want, Places(&cobra.Command{Use: use}), use)
	}
	places := Places(&cobra.Command{Use: "mv NAME PATH..."})
	for i, want := range []bool{false, true, true, true} {
		p, ok := At(places, i)
		require.True(t, ok)
		require.Equal(t, want, p.Path)
	}
	_, ok := At(Places(&cobra.Command{Use: "get PATH"}), 1)
	require.False(t, ok)
}

func TestResolve(t *testing.T) {
	for _, test := range [][3]string{
		{"/", "a", "/a"}, {"/a", "b/c", "/a/b/c"}, {"/a", "/b", "/b"}, {"/a/b", "..", "/a"}, {"/a", "../..", "/"},
		{"/a", ".", "/a"}, {"/a", "", "/a"}, {"/", "/", "/"}, {"/a", "./b/", "/a/b"}, {"/", "/a//b/", "/a/b"}, {"/a", "...", "/a/..."},
	} {
		require.Equal(t, test[2], Resolve(test[0], test[1]), "%q from %q", test[1], test[0])
	}
}

func TestTrim(t *testing.T) {
	trimmed := func(use string, args ...string) []string { return Trim(Places(&cobra.Command{Use: use}), args) }
	require.Equal(t, []string{"/a", "data/"}, trimmed("set PATH [DATA]", "/a/", "data/"))
	require.Equal(t, []string{"/"}, trimmed("ls [PATH]", "/"))
	require.Equal(t, []string{"/a/"}, trimmed("owned [PREFIX]", "/a/"))
	require.Equal(t, []string{"/a", "make", "x/"}, trimmed("lock PATH -- COMMAND", "/a/", "make", "x/"))
}
