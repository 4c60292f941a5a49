package main

import (
	"net"
	"slices"
	"strings"
	"testing"
)

func TestCommandStartsTheServerWithJVMFlagsLast(t *testing.T) {
	e := env(map[string]string{
		"ZOO_CONF_DIR": "/c", "ZK_SERVER_HEAP": "64",
		"SERVER_JVMFLAGS": "-Da=1 -Db=2", "JVMFLAGS": "-Xmx128m",
	})
	for _, args := range [][]string{nil, {"zkServer.sh", "start-foreground"}} {
		got, err := command(e, args)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"-Da=1", "-Db=2", "-Xmx128m", "-cp", classPath, serverMain, "/c/zoo.cfg"}
		if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
			t.Errorf("%q runs %q, want it to end in %q", args, got, want)
		}
		if !slices.Contains(got, "-Xmx64m") {
			t.Errorf("%q runs %q, want the heap of ZK_SERVER_HEAP in it", args, got)
		}
	}
}

func TestCommandKnowsTheScripts(t *testing.T) {
	got, err := command(env(nil), []string{"/usr/local/bin/zkCli.sh", "-server", "zk1"})
	if err != nil || !slices.Equal(got[len(got)-3:], []string{clientMain, "-server", "zk1"}) {
		t.Errorf("zkCli.sh runs %q, %v", got, err)
	}
	if got, err = command(env(nil), []string{"zkServer.sh", "status"}); err != nil || got != nil {
		t.Errorf("zkServer.sh status runs %q, %v, want neither", got, err)
	}
	if _, err = command(env(nil), []string{"zkServer.sh", "upgrade"}); err == nil || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("zkServer.sh upgrade: error is %v, want one that names it", err)
	}
	if got, err = command(env(nil), []string{"java", "-version"}); err != nil || !slices.Equal(got, []string{"java", "-version"}) {
		t.Errorf("java -version runs %q, %v", got, err)
	}
}

func TestStatus(t *testing.T) {
	for answer, want := range map[string]string{
		"Zookeeper version: 3.8.0\nMode: follower\nNode count: 5\n":   "Mode: follower",
		"This ZooKeeper instance is not currently serving requests\n": "",
	} {
		addr := answering(t, answer)
		got, err := status(addr)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("a server that answers %q has status %q, %v; want %q", answer, got, err, want)
		}
	}
}

// answering listens, and sends answer to the first who says srvr.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		word := make([]byte, 4)
		if _, err := conn.Read(word); err == nil && string(word) == "srvr" {
			_, _ = conn.Write([]byte(answer))
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestClientAddr(t *testing.T) {
	cfg := "tickTime=500\nserver.1=zk1:2888:3888;2181\nserver.2=zk2:2888:3888:participant;0.0.0.0:2182\nserver.3=zk3:2888:3888\n"
	for id, want := range map[string]string{
		"1": "127.0.0.1:2181", "2": "127.0.0.1:2182", "3": "127.0.0.1:2181", "4": "127.0.0.1:2181",
	} {
		if got := clientAddr(cfg, id); got != want {
			t.Errorf("server %s is asked at %s, want %s", id, got, want)
		}
	}
}
