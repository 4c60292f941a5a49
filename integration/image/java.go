package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	javaDir = "opt/java/openjdk"
	jarDir  = "opt/zookeeper/lib"
	jars    = "/usr/share/java"
)

// modules are the parts of Java that ZooKeeper needs, TLS and SASL included.
// jdk.crypto.ec is for TLS with elliptic curves. Left out is java.desktop,
// which only log4j 1.2 and the admin server would want.
var modules = []string{
	"java.base", "java.logging", "java.management", "java.naming",
	"java.security.jgss", "java.security.sasl", "java.xml", "jdk.crypto.ec",
	"jdk.management", "jdk.naming.dns", "jdk.unsupported",
}

// addJava puts a Java runtime into the image and says which. It is cut down
// with jlink where the host has that; otherwise the host's whole runtime is
// copied, which makes the image larger (215 MB, not 87) and serves as well.
func addJava(ctx context.Context, root string) (string, error) {
	home, err := javaHome(ctx)
	if err != nil {
		return "", err
	}
	dst := filepath.Join(root, javaDir)
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return "", fmt.Errorf("java: %w", err)
	}
	if !home.jlink {
		if err := copyTree(home.path, dst); err != nil {
			return "", fmt.Errorf("java: copy %s: %w", home.path, err)
		}
		return "copy of " + home.name(), nil
	}
	_, err = output(exec.CommandContext(ctx, filepath.Join(home.path, "bin", "jlink"),
		"--module-path", filepath.Join(home.path, "jmods"), "--add-modules", strings.Join(modules, ","),
		"--strip-debug", "--no-header-files", "--no-man-pages", "--output", dst))
	if err != nil {
		return "", fmt.Errorf("java: %w", err)
	}
	// jlink leaves out the archive of Java's own classes, which saves a tenth
	// of a second at every start. A runtime without it still works.
	made := "jlink of " + home.name()
	if _, err := output(exec.CommandContext(ctx, filepath.Join(dst, "bin", "java"), "-XX:+UseSerialGC", "-Xshare:dump")); err != nil {
		made += " without class archive"
	}
	return made, nil
}

// addLibraries copies the C libraries that the runtime is linked to, and the
// loader, to where the loader looks for them.
func addLibraries(ctx context.Context, root string) error {
	java := filepath.Join(root, javaDir)
	objects := []string{filepath.Join(java, "bin", "java")}
	err := filepath.WalkDir(filepath.Join(java, "lib"), func(p string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".so") {
			objects = append(objects, p)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("libraries: %w", err)
	}
	// ldd fails as a whole if one object is not dynamic; what it printed of
	// the others still counts, and a library that is missing shows below.
	text, err := exec.CommandContext(ctx, "ldd", objects...).Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("libraries: run ldd: %w", err)
	}
	paths := linked(string(text), java)
	if len(paths) == 0 {
		return fmt.Errorf("libraries: ldd names none for %s; it printed %q", objects[0], text)
	}
	for _, p := range paths {
		if err := copyFile(p, filepath.Join(root, p)); err != nil {
			return fmt.Errorf("libraries: %w", err)
		}
	}
	return nil
}

// linked returns the files that ldd's output names, those below own left out.
func linked(text, own string) []string {
	var paths []string
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		if _, after, ok := strings.Cut(line, "=>"); ok {
			line = after
		}
		p, _, ok := strings.Cut(strings.TrimSpace(line), " (0x")
		if ok && filepath.IsAbs(p) && !strings.HasPrefix(p, own+"/") && !seen[p] {
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths
}
