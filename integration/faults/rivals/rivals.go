package rivals

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/zookit/zookit/integration/faults/stage"
)

//go:embed kazoo/worker.py
var kazooWorker []byte

//go:embed curator/Worker.java
var curatorWorker []byte

// Rival is a library that workers can be made of.
type Rival struct {
	// Name is what it is called.
	Name string
	// Works are the workloads that it has recipes for.
	Works []string
	// Prepare makes the program of its workers, in a folder, and returns its path. self is a program that
	// calls [GoZK] for the arguments of a worker.
	Prepare func(ctx context.Context, folder, self string) (string, error)
}

var locks = []string{"mutex-history", "rwlock", "semaphore", "election"}

// All returns the rivals.
func All() []Rival {
	return []Rival{
		{Name: "Kazoo", Works: locks, Prepare: kazoo},
		{Name: "Curator", Works: locks, Prepare: curator},
		{Name: "go-zookeeper", Works: locks[:1], Prepare: func(_ context.Context, _, self string) (string, error) { return self, nil }},
	}
}

// program writes an executable file.
func program(folder, name string, text []byte) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	return path, os.WriteFile(path, text, 0o755) //nolint:gosec // a program
}

func kazoo(ctx context.Context, folder, _ string) (string, error) {
	if out, err := exec.CommandContext(ctx, "/usr/bin/python3", "-c", "import kazoo.client").CombinedOutput(); err != nil {
		return "", fmt.Errorf("no Kazoo here (Debian: apt-get install python3-kazoo): %w\n%s", err, out)
	}
	return program(folder, "kazoo-worker", kazooWorker)
}

// jars are Debian's; their manifests name what they need.
var jars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar", "/usr/share/java/jackson-databind.jar"}

func curator(ctx context.Context, folder, _ string) (string, error) {
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			return "", fmt.Errorf("no Curator here (Debian: apt-get install libcurator-recipes-java): %w", err)
		}
	}
	classes, err := filepath.Abs(filepath.Join(folder, "classes"))
	if err != nil {
		return "", err
	}
	source, err := program(classes, "Worker.java", curatorWorker)
	if err != nil {
		return "", err
	}
	path := strings.Join(append([]string{classes}, jars...), ":")
	// Debian's headless runtime has the compiler in it, and only lacks the command javac.
	out, err := exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
		"-proc:none", "-nowarn", "-d", classes, "-cp", path, source).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("compiling Curator's worker: %w\n%s", err, out)
	}
	return program(folder, "curator-worker", fmt.Appendf(nil,
		"#!/bin/sh\nexec java -cp %s -Dorg.slf4j.simpleLogger.defaultLogLevel=off -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m Worker \"$@\"\n", path))
}

// IsWorker tells whether a program was started as a worker.
func IsWorker(args []string) bool { return len(args) == 3 && args[1] == stage.Role }
