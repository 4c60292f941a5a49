package main

import (
	"fmt"
	"path"
	"strings"
)

const (
	java       = "/opt/java/openjdk/bin/java"
	classPath  = "/opt/zookeeper/lib/*"
	serverMain = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
	clientMain = "org.apache.zookeeper.ZooKeeperMain"
)

// command says what to run for the given arguments, the program's own name
// left out. An empty result asks for the server's status instead.
func command(e environment, args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{"zkServer.sh", "start-foreground"}
	}
	switch path.Base(args[0]) {
	case "zkServer.sh":
		switch sub := strings.Join(args[1:], " "); sub {
		case "start-foreground":
			return serverCommand(e), nil
		case "status":
			return nil, nil
		default:
			return nil, fmt.Errorf("zkServer.sh %s: this image knows start-foreground and status only", sub)
		}
	case "zkCli.sh":
		cmd := append([]string{java}, logging("warn")...)
		cmd = append(cmd, strings.Fields(e("CLIENT_JVMFLAGS"))...)
		cmd = append(cmd, strings.Fields(e("JVMFLAGS"))...)
		cmd = append(cmd, "-cp", classPath, clientMain)
		return append(cmd, args[1:]...), nil
	default:
		return args, nil
	}
}

// serverCommand orders the flags as ZooKeeper's own scripts do: JVMFLAGS come
// last and win.
func serverCommand(e environment) []string {
	f := foldersOf(e)
	cmd := []string{java, "-Dzookeeper.log.dir=" + f.logs, "-Xmx" + e.or("ZK_SERVER_HEAP", "1000") + "m"}
	cmd = append(cmd, logging("info")...)
	cmd = append(cmd, strings.Fields(e("SERVER_JVMFLAGS"))...)
	cmd = append(cmd, strings.Fields(e("JVMFLAGS"))...)
	return append(cmd, "-cp", classPath, serverMain, f.zooCfg())
}

// logging sends the log to standard error with the time of each line.
func logging(level string) []string {
	const p = "-Dorg.slf4j.simpleLogger."
	return []string{
		p + "defaultLogLevel=" + level,
		p + "showDateTime=true",
		p + "dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
		p + "showShortLogName=true",
	}
}
