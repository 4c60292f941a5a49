package admin

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWchs(t *testing.T) {
	for name, want := range map[string]WatchSummary{
		"3.4/wchs.txt":        {Connections: 812, Paths: 2040, Watches: 940522},
		"3.8/wchs-leader.txt": {Connections: 1, Paths: 1, Watches: 1},
		"3.9/wchs.txt":        {Connections: 3, Paths: 12, Watches: 17},
	} {
		got, err := wchsFromText(sample(t, name))
		require.NoError(t, err, name)
		require.Equal(t, want, *got, name)
	}
	got, err := wchsFromJSON([]byte(sample(t, "3.8/watch_summary-leader.json")))
	require.NoError(t, err)
	require.Equal(t, WatchSummary{Connections: 1, Paths: 1, Watches: 1}, *got)

	got, err = wchsFromText("news\r\n1 connections watching 2 paths\r\nTotal watches: 3\r\nmore\r\n")
	require.NoError(t, err)
	require.Equal(t, WatchSummary{Connections: 1, Paths: 2, Watches: 3}, *got)
}

func TestWchsMalformed(t *testing.T) {
	for _, bad := range []string{
		"", "Total watches:3\n", "1 connections watching 2 paths\n", "one connections watching 2 paths\nTotal watches:3\n",
		"1 connections watching two paths\nTotal watches:3\n", "1 connections watching 2 paths\nTotal watches:some\n",
	} {
		_, err := wchsFromText(bad)
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
	for name, text := range samples(t, "wchs*.txt") {
		for i := range len(text) {
			_, err := wchsFromText(text[:i])
			require.ErrorIs(t, err, ErrMalformed, "%s up to %q", name, text[:i])
		}
	}
	for _, bad := range []string{`{}`, `x`, `{"num_connections":1,"num_paths":1,"num_total_watches":"x"}`} {
		_, err := wchsFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}

func TestRuok(t *testing.T) {
	_, err := ruokFromText(sample(t, "3.4/ruok.txt"))
	require.NoError(t, err)
	for _, bad := range []string{"imo", "iamok", "imok imok"} {
		_, err = ruokFromText(bad)
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}

func TestIsro(t *testing.T) {
	for text, want := range map[string]bool{"rw": false, "ro": true, "ro\n": true} {
		got, err := isroFromText(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, bad := range []string{"r", "rwx", "yes"} {
		_, err := isroFromText(bad)
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
	_, err := isroFromText("null")
	require.ErrorIs(t, err, ErrNotServing)

	for body, want := range map[string]bool{`{"read_only":true}`: true, sample(t, "3.8/is_read_only-leader.json"): false} {
		got, err := isroFromJSON([]byte(body))
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	for _, bad := range []string{`{}`, `[]`, `{"read_only":"perhaps"}`} {
		_, err := isroFromJSON([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, bad)
	}
}
