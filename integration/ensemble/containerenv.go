package ensemble

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// containerVariables are the settings that the image has a variable for; it
// writes a line for each of them in any case.
var containerVariables = map[string]string{
	"tickTime":                  "ZOO_TICK_TIME",
	"initLimit":                 "ZOO_INIT_LIMIT",
	"syncLimit":                 "ZOO_SYNC_LIMIT",
	"maxClientCnxns":            "ZOO_MAX_CLIENT_CNXNS",
	"standaloneEnabled":         "ZOO_STANDALONE_ENABLED",
	"admin.enableServer":        "ZOO_ADMINSERVER_ENABLED",
	"autopurge.purgeInterval":   "ZOO_AUTOPURGE_PURGEINTERVAL",
	"autopurge.snapRetainCount": "ZOO_AUTOPURGE_SNAPRETAINCOUNT",
	"4lw.commands.whitelist":    "ZOO_4LW_COMMANDS_WHITELIST",
}

// containerJVM keeps a server small and quick to start.
const containerJVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m " + containerCheck

// containerEnv is the environment of server i.
func containerEnv(s spec, i int, peers *containerNetwork) (map[string]string, error) {
	env := map[string]string{
		"ZOO_MY_ID": strconv.Itoa(i + 1),
		"JVMFLAGS":  strings.Join(append([]string{containerJVM}, s.jvmFlags...), " "),
	}
	if s.servers > 1 {
		var servers []string
		for k := range s.servers {
			servers = append(servers, fmt.Sprintf("server.%d=%s:2888:3888;2181", k+1, peers.ip(k)))
		}
		env["ZOO_SERVERS"] = strings.Join(servers, " ")
	}
	settings := s.settings()
	if s.tls {
		settings["secureClientPort"], _, _ = strings.Cut(securePort, "/")
	}
	var extra []string
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		if variable, ok := containerVariables[key]; ok {
			env[variable] = value
			continue
		}
		// The image splits the extra lines at spaces.
		if strings.ContainsAny(value, " \t") {
			return nil, fmt.Errorf("containers: the value of %s, %q, has a space: the image cannot take it; use the provider jvm", key, value)
		}
		extra = append(extra, key+"="+value)
	}
	env["ZOO_CFG_EXTRA"] = strings.Join(extra, " ")
	return env, nil
}
