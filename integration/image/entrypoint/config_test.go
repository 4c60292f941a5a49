package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func env(vars map[string]string) environment {
	return func(key string) string { return vars[key] }
}

func TestConfigHasTheOfficialDefaults(t *testing.T) {
	got, err := zooCfg(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := `dataDir=/data
dataLogDir=/datalog
tickTime=2000
initLimit=5
syncLimit=2
autopurge.snapRetainCount=3
autopurge.purgeInterval=0
maxClientCnxns=60
standaloneEnabled=true
admin.enableServer=false
server.1=localhost:2888:3888;2181
`
	if got != want {
		t.Errorf("zoo.cfg is\n%s\nwant\n%s", got, want)
	}
}

func TestConfigTakesEveryVariable(t *testing.T) {
	got, err := zooCfg(env(map[string]string{
		"ZOO_DATA_DIR":                  "/d",
		"ZOO_DATA_LOG_DIR":              "/l",
		"ZOO_TICK_TIME":                 "500",
		"ZOO_INIT_LIMIT":                "10",
		"ZOO_SYNC_LIMIT":                "4",
		"ZOO_AUTOPURGE_SNAPRETAINCOUNT": "7",
		"ZOO_AUTOPURGE_PURGEINTERVAL":   "1",
		"ZOO_MAX_CLIENT_CNXNS":          "0",
		"ZOO_STANDALONE_ENABLED":        "false",
		"ZOO_ADMINSERVER_ENABLED":       "true",
		"ZOO_4LW_COMMANDS_WHITELIST":    "*",
		"ZOO_SERVERS":                   "server.1=zk1:2888:3888;2181  server.2=zk2:2888:3888;2181",
		"ZOO_CFG_EXTRA":                 "forceSync=no super=a:b=  tickTime=600",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := `dataDir=/d
dataLogDir=/l
tickTime=500
initLimit=10
syncLimit=4
autopurge.snapRetainCount=7
autopurge.purgeInterval=1
maxClientCnxns=0
standaloneEnabled=false
admin.enableServer=true
4lw.commands.whitelist=*
server.1=zk1:2888:3888;2181
server.2=zk2:2888:3888;2181
forceSync=no
super=a:b=
tickTime=600
`
	if got != want {
		t.Errorf("zoo.cfg is\n%s\nwant\n%s", got, want)
	}
}

func TestConfigRefusesWhatIsNoLine(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"an extra without a value":    {"ZOO_CFG_EXTRA": "forceSync"},
		"an extra without a key":      {"ZOO_CFG_EXTRA": "=no"},
		"a server without an address": {"ZOO_SERVERS": "zk1:2888:3888"},
		"a value of two lines":        {"ZOO_TICK_TIME": "500\ninitLimit=1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := zooCfg(env(vars)); err == nil {
				t.Errorf("no error, and zoo.cfg is %q", got)
			}
		})
	}
}

func TestConfigureKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	vars := map[string]string{
		"ZOO_CONF_DIR": filepath.Join(dir, "conf"),
		"ZOO_DATA_DIR": filepath.Join(dir, "data"),
		"ZOO_MY_ID":    "3",
	}
	if err := configure(env(vars)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "data/myid"); got != "3\n" {
		t.Errorf("myid is %q, want 3 and a line break", got)
	}
	if got := read(t, dir, "conf/zoo.cfg"); !strings.Contains(got, "tickTime=2000\n") {
		t.Errorf("zoo.cfg is %q, want the default tickTime in it", got)
	}

	vars["ZOO_MY_ID"], vars["ZOO_TICK_TIME"] = "4", "100"
	if err := configure(env(vars)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "data/myid"); got != "3\n" {
		t.Errorf("after a second start myid is %q, want it as it was", got)
	}
	if got := read(t, dir, "conf/zoo.cfg"); strings.Contains(got, "tickTime=100\n") {
		t.Errorf("after a second start zoo.cfg is %q, want it as it was", got)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
