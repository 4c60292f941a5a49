package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	zookeeperDeb = "libzookeeper-java"
	javaDeb      = "default-jre-headless"
)

// zookeeperPackage sees to it that ZooKeeper's jars are installed and returns
// their Debian version.
func zookeeperPackage(ctx context.Context) (string, error) {
	if _, err := os.Stat(filepath.Join(jars, jarRoots[0])); err != nil {
		if err := install(ctx, zookeeperDeb); err != nil {
			return "", err
		}
	}
	version, err := output(exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Version}", zookeeperDeb))
	if err != nil {
		return "", fmt.Errorf("%s/%s does not come from the package %s: %w", jars, jarRoots[0], zookeeperDeb, err)
	}
	return version, nil
}

// jvm is a Java on the host.
type jvm struct {
	path string
	// jlink tells whether it can make a cut-down runtime of itself.
	jlink bool
}

// name is what people know it by; its path may be one of several links.
func (j jvm) name() string {
	if target, err := filepath.EvalSymlinks(j.path); err == nil {
		return filepath.Base(target)
	}
	return filepath.Base(j.path)
}

// javaHome finds a Java of 11 or newer, installing one if there is none. One
// with jlink is preferred, yet not installed for its sake: it is a large
// download, and the image is as good without.
func javaHome(ctx context.Context) (jvm, error) {
	if found := findJava(); found.path != "" {
		return found, nil
	}
	if err := install(ctx, javaDeb); err != nil {
		return jvm{}, fmt.Errorf("java: %w", err)
	}
	found := findJava()
	if found.path == "" {
		return jvm{}, fmt.Errorf("java: no Java of 11 or newer below /usr/lib/jvm, although %s is installed", javaDeb)
	}
	return found, nil
}

// findJava looks through Debian's folder of Javas. Debian's own come first:
// the C libraries copied into the image are the host's, and these fit.
func findJava() jvm {
	homes, _ := filepath.Glob("/usr/lib/jvm/*/bin/java") // the pattern is sound
	slices.SortStableFunc(homes, func(a, b string) int {
		return rank(a) - rank(b)
	})
	var plain jvm
	for _, bin := range homes {
		home := filepath.Dir(filepath.Dir(bin))
		if !usable(home) {
			continue
		}
		if exist(filepath.Join(home, "bin", "jlink"), filepath.Join(home, "jmods", "java.base.jmod")) {
			return jvm{path: home, jlink: true}
		}
		if plain.path == "" {
			plain.path = home
		}
	}
	return plain
}

func rank(java string) int {
	if strings.Contains(java, "-openjdk") {
		return 0
	}
	return 1
}

// usable tells whether the Java at home is 11 or newer.
func usable(home string) bool {
	text, err := os.ReadFile(filepath.Join(home, "release"))
	if err != nil {
		return false
	}
	return javaMajor(string(text)) >= 11
}

// javaMajor reads the version from a Java's release file: 17 of "17.0.15". It
// is 0 where the file does not tell.
func javaMajor(release string) int {
	for line := range strings.Lines(release) {
		quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "JAVA_VERSION=")
		if !ok {
			continue
		}
		major, _, _ := strings.Cut(strings.Trim(quoted, `"`), ".")
		n, err := strconv.Atoi(major)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

func exist(paths ...string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return false
		}
	}
	return true
}

// install installs Debian packages. The lists of packages are fetched only if
// the ones at hand do not do: that saves most of the time.
func install(ctx context.Context, packages ...string) error {
	names := strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s is missing and this is no Debian: install it by hand, or pull an official image (docker pull zookeeper:3.9)", names)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s is missing and only root can install it: run `sudo apt-get install %s`, or pull an official image (docker pull zookeeper:3.9)", names, names)
	}
	apt := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-y", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		_, err := output(cmd)
		return err
	}
	args := append([]string{"install", "--no-install-recommends"}, packages...)
	if apt(args...) == nil {
		return nil
	}
	if err := apt("update"); err != nil {
		return fmt.Errorf("install %s: %w", names, err)
	}
	if err := apt(args...); err != nil {
		return fmt.Errorf("install %s: %w", names, err)
	}
	return nil
}
