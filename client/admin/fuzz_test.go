package admin

import (
	"errors"
	"testing"
)

// fuzz feeds a word's two readers. Whatever comes, they return a value or say what is wrong,
// in one of this package's errors.
func fuzz[T any](f *testing.F, q question[T], check func(t *testing.T, text string, value T)) {
	f.Helper()
	for _, pattern := range []string{q.word + "*.txt", q.command + "*.json"} {
		for _, text := range samples(f, pattern) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for how, read := range map[string]func() (T, error){
			"text": func() (T, error) { return q.text(text) },
			"JSON": func() (T, error) { return q.json([]byte(text)) },
		} {
			value, err := read()
			switch {
			case err == nil && check != nil:
				check(t, text, value)
			case err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNotServing):
				t.Fatalf("%s: an error of no kind: %v", how, err)
			case err != nil && len(err.Error()) > 2000:
				t.Fatalf("%s: an error of %d bytes", how, len(err.Error()))
			}
		}
	})
}

func FuzzSrvr(f *testing.F) {
	fuzz(f, srvr, func(t *testing.T, text string, s *Srvr) {
		if len(s.Version.Number) > len(s.Version.Build) || len(s.Version.Build) > len(text) {
			t.Fatalf("version out of nowhere: %+v", s.Version)
		}
	})
}

func FuzzMntr(f *testing.F) {
	fuzz(f, mntr, func(t *testing.T, _ string, m *Mntr) {
		if (m.Leading != nil) != (m.Mode == Leader) || m.Mode != Mode(m.Values["zk_server_state"]) {
			t.Fatalf("%+v", m)
		}
	})
}

func FuzzCons(f *testing.F) {
	fuzz(f, cons, func(t *testing.T, text string, all []Connection) {
		if len(all) > len(text) {
			t.Fatalf("%d connections in %d bytes", len(all), len(text))
		}
	})
}

func FuzzWchs(f *testing.F) { fuzz(f, wchs, nil) }
func FuzzIsro(f *testing.F) { fuzz(f, isro, nil) }
func FuzzRuok(f *testing.F) { fuzz(f, ruok, nil) }

func FuzzConf(f *testing.F) {
	fuzz(f, conf, func(t *testing.T, text string, c *Conf) {
		if len(c.DataDir) > len(text) || c.DataDir != c.Values["dataDir"] {
			t.Fatalf("%+v", c)
		}
	})
}
