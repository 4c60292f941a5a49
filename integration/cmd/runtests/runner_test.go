package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// account is a runner of which two steps are done: the second on containers.
func account(ci bool) (*runner, *bytes.Buffer, []*result) {
	var out bytes.Buffer
	a, b := newResult(&out, false), newResult(&out, false)
	a.passed, b.passed = 3, 4
	r := &runner{out: &out, ci: ci, missing: map[string]string{}, steps: []*step{
		{title: "integration tests, jvm", name: "jvm", provider: "jvm", result: a},
		{title: "integration tests, containers", name: "containers", provider: "containers", result: b},
	}}
	return r, &out, []*result{a, b}
}

func TestClosingLines(t *testing.T) {
	r, out, results := account(true)
	require.True(t, r.close())
	require.Regexp(t, `(?s)^\n== what ran\n.*\n7 passed, 0 failed\n$`, out.String())

	out.Reset()
	results[0].failed = 1
	results[0].failures = []string{"example TestA"}
	require.False(t, r.close())
	require.Contains(t, out.String(), "failed (jvm): example TestA\n")
	require.Contains(t, out.String(), "\n7 passed, 1 failed\n")

	r, out, _ = account(false)
	r.fault("no real ZooKeeper")
	require.False(t, r.close())
	require.Contains(t, out.String(), "error: no real ZooKeeper\n")
}

// A skip that another step makes good is none; any other is listed, and in CI fails.
func TestSkips(t *testing.T) {
	key := testKey{"example", "TestA"}
	for name, test := range map[string]struct {
		ci, ranElsewhere, noEngine bool
		why                        string
		forgiven, ok               bool
	}{
		"in CI":                          {ci: true, why: "no root"},
		"elsewhere":                      {why: "no root", ok: true},
		"made good":                      {ci: true, ranElsewhere: true, why: "no root", ok: true},
		"no engine":                      {ci: true, noEngine: true, why: unexercised + ": none", forgiven: true, ok: true},
		"no engine, and something else":  {ci: true, noEngine: true, why: "no root"},
		"an engine that only tests miss": {ci: true, why: unexercised + ": none"},
	} {
		t.Run(name, func(t *testing.T) {
			r, out, results := account(test.ci)
			results[0].skips[key] = test.why
			if test.ranElsewhere {
				results[1].ran[key] = true
			}
			if test.noEngine {
				r.missing["containers"] = why("containers", errors.New("no way:\ncontainers: containers: no engine"))
			}
			require.Equal(t, test.ok, r.close())
			line := "skipped: example TestA: " + test.why + "\n"
			if test.forgiven {
				line = "skipped, for lack of an engine: example TestA\n"
			}
			require.Equal(t, !test.ranElsewhere, bytes.Contains(out.Bytes(), []byte(line)))
			require.Equal(t, test.noEngine, bytes.Contains(out.Bytes(), []byte("containers were not exercised: no engine\n")))
		})
	}
}
