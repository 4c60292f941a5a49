package image

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// jarRoots are the jars to start from. ZooKeeper's own names most of what it
// needs; the three of netty it forgets are needed for TLS, and slf4j-simple
// does the logging.
var jarRoots = []string{
	"zookeeper.jar", "netty-codec.jar", "netty-resolver.jar",
	"netty-transport-native-unix-common.jar", "slf4j-simple.jar",
}

// addJars copies the root jars and all that their manifests name.
func addJars(_ context.Context, root string) error {
	seen := map[string]bool{}
	todo := jarRoots
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		src := filepath.Join(jars, name)
		more, err := classPath(src)
		// Manifests name optional jars, too, that no package brings along.
		if errors.Is(err, fs.ErrNotExist) && !isRoot(name) {
			continue
		}
		if err == nil {
			err = copyFile(src, filepath.Join(root, jarDir, name))
		}
		if err != nil {
			return fmt.Errorf("jars: %w", err)
		}
		todo = append(todo, more...)
	}
	return nil
}

func isRoot(name string) bool {
	return slices.Contains(jarRoots, name)
}

// classPath returns the names of the jars in jar's manifest.
func classPath(jar string) ([]string, error) {
	z, err := zip.OpenReader(jar)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", jar, err)
	}
	defer z.Close()
	f, err := z.Open("META-INF/MANIFEST.MF")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", jar, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", jar, err)
	}
	return manifestClassPath(string(text)), nil
}

// manifestClassPath reads the Class-Path of a manifest. A line that begins
// with a space goes on from the one before.
func manifestClassPath(text string) []string {
	text = strings.NewReplacer("\r\n ", "", "\n ", "").Replace(text)
	for line := range strings.Lines(text) {
		value, ok := strings.CutPrefix(line, "Class-Path:")
		if !ok {
			continue
		}
		var names []string
		for entry := range strings.FieldsSeq(value) {
			names = append(names, path.Base(entry))
		}
		return names
	}
	return nil
}

// addSystem makes the few files and folders that a server expects of any
// system.
func addSystem(_ context.Context, root string) error {
	for _, dir := range []string{"conf", "data", "datalog", "logs", "tmp", "etc", "proc", "sys", "dev", "usr/local/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return fmt.Errorf("system: %w", err)
		}
	}
	files := map[string]string{
		"etc/passwd": "root:x:0:0:root:/:/nologin\nzookeeper:x:1000:1000:zookeeper:/data:/nologin\n",
		"etc/group":  "root:x:0:\nzookeeper:x:1000:\n",
		// Without it the C library does not ask Docker's name server.
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("system: %w", err)
		}
	}
	for _, script := range []string{"zkServer.sh", "zkCli.sh"} {
		if err := os.Symlink("/entrypoint", filepath.Join(root, "usr/local/bin", script)); err != nil {
			return fmt.Errorf("system: %w", err)
		}
	}
	return nil
}
