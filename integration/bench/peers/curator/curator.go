// Package curator makes workers that use Curator, of Java, as Debian packages it.
//
// It is used as its documentation recommends: recipes with their defaults, pipelining in the background, the queue with a
// lock path so that what is taken is leased, the counter promoted to a lock. The Java machine has its defaults but for the size of its heap: it has to be
// warmed up.
package curator

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/zookit/zookit/integration/bench/work"
)

//go:embed program/*.java
var program embed.FS

// jars are Debian's; their manifests name what they need.
var jars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar", "/usr/share/java/jackson-databind.jar"}

// Start makes the command of a worker. Its program is compiled in dir, unless an earlier call has done so.
func Start(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
	java, err := installed()
	if err != nil {
		return nil, fmt.Errorf("no Curator here (Debian: apt-get install libcurator-recipes-java): %w: %w", work.ErrAbsent, err)
	}
	classes, err := filepath.Abs(filepath.Join(dir, "curator"))
	if err != nil {
		return nil, err
	}
	path := strings.Join(append([]string{classes}, jars...), string(filepath.ListSeparator))
	if _, err := os.Stat(filepath.Join(classes, "Worker.class")); errors.Is(err, fs.ErrNotExist) {
		if err := compile(ctx, java, classes, path); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, java, "-cp", path, "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-Xmx2g", "Worker", "--servers", servers)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// installed finds the Java launcher as package ensemble does, and whether the jars are there.
func installed() (java string, err error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	} else if java, err = exec.LookPath("java"); err != nil {
		return "", err
	}
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			return "", err
		}
	}
	return java, nil
}

func compile(ctx context.Context, java, classes, path string) error {
	files, err := fs.Sub(program, "program")
	if err != nil {
		return err
	}
	// CopyFS refuses to overwrite what an interrupted call has left.
	if err := os.RemoveAll(classes); err != nil {
		return fmt.Errorf("writing Curator's worker: %w", err)
	}
	if err := os.CopyFS(classes, files); err != nil {
		return fmt.Errorf("writing Curator's worker: %w", err)
	}
	// Debian's headless runtime has the compiler in it, and only lacks the command javac.
	args := []string{
		"-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
		"-proc:none", "-nowarn", "-d", classes, "-cp", path,
	}
	sources, err := filepath.Glob(filepath.Join(classes, "*.java"))
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, java, append(args, sources...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("compiling Curator's worker: %w\n%s", err, out)
	}
	return nil
}
