package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// environment reads one variable, with a default for one that is unset.
type environment func(key string) string

func (e environment) or(key, fallback string) string {
	if v := e(key); v != "" {
		return v
	}
	return fallback
}

// folders are where the server keeps its files.
type folders struct {
	conf, data, datalog, logs string
}

func foldersOf(e environment) folders {
	return folders{
		conf:    e.or("ZOO_CONF_DIR", "/conf"),
		data:    e.or("ZOO_DATA_DIR", "/data"),
		datalog: e.or("ZOO_DATA_LOG_DIR", "/datalog"),
		logs:    e.or("ZOO_LOG_DIR", "/logs"),
	}
}

func (f folders) zooCfg() string { return filepath.Join(f.conf, "zoo.cfg") }
func (f folders) myID() string   { return filepath.Join(f.data, "myid") }

// settings are the variables that become one line each, with the official
// image's defaults. The admin server is the exception: this image has none.
var settings = []struct{ key, variable, fallback string }{
	{"tickTime", "ZOO_TICK_TIME", "2000"},
	{"initLimit", "ZOO_INIT_LIMIT", "5"},
	{"syncLimit", "ZOO_SYNC_LIMIT", "2"},
	{"autopurge.snapRetainCount", "ZOO_AUTOPURGE_SNAPRETAINCOUNT", "3"},
	{"autopurge.purgeInterval", "ZOO_AUTOPURGE_PURGEINTERVAL", "0"},
	{"maxClientCnxns", "ZOO_MAX_CLIENT_CNXNS", "60"},
	{"standaloneEnabled", "ZOO_STANDALONE_ENABLED", "true"},
	{"admin.enableServer", "ZOO_ADMINSERVER_ENABLED", "false"},
}

// zooCfg returns the text of zoo.cfg. Extra lines come last: ZooKeeper takes
// the last of several lines with one key, so that they overrule the others.
func zooCfg(e environment) (string, error) {
	f := foldersOf(e)
	var b strings.Builder
	line := func(key, value string) error {
		if strings.ContainsAny(value, "\r\n") {
			return fmt.Errorf("zoo.cfg: the value of %s, %q, has a line break; a value is one line", key, value)
		}
		fmt.Fprintf(&b, "%s=%s\n", key, value)
		return nil
	}
	lines := []struct{ key, value string }{{"dataDir", f.data}, {"dataLogDir", f.datalog}}
	for _, s := range settings {
		lines = append(lines, struct{ key, value string }{s.key, e.or(s.variable, s.fallback)})
	}
	if list := e("ZOO_4LW_COMMANDS_WHITELIST"); list != "" {
		lines = append(lines, struct{ key, value string }{"4lw.commands.whitelist", list})
	}
	for _, l := range lines {
		if err := line(l.key, l.value); err != nil {
			return "", err
		}
	}
	for _, list := range []struct{ variable, fallback string }{
		{"ZOO_SERVERS", "server.1=localhost:2888:3888;2181"},
		{"ZOO_CFG_EXTRA", ""},
	} {
		for entry := range strings.FieldsSeq(e.or(list.variable, list.fallback)) {
			key, value, ok := strings.Cut(entry, "=")
			if !ok || key == "" {
				return "", fmt.Errorf("%s: %q is no key=value; write them as key=value, separated by spaces", list.variable, entry)
			}
			if err := line(key, value); err != nil {
				return "", err
			}
		}
	}
	return b.String(), nil
}

// configure writes zoo.cfg and myid where they are missing. Files that exist
// are left alone: the server rewrites zoo.cfg itself when the ensemble is
// reconfigured, and a restart must not undo that.
func configure(e environment) error {
	f := foldersOf(e)
	text, err := zooCfg(e)
	if err != nil {
		return err
	}
	if err := writeOnce(f.zooCfg(), text); err != nil {
		return err
	}
	return writeOnce(f.myID(), e.or("ZOO_MY_ID", "1")+"\n")
}

func writeOnce(path, text string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", path, err)
	}
	// A container killed in the middle must not leave half a file that the
	// next start takes for the whole one.
	half := path + ".new"
	if err := os.WriteFile(half, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(half, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
