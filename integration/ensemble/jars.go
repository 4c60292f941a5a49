package ensemble

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const homeVariable = "ZOOKEEPER_HOME"

// debianFolder is where Debian keeps its jars. The manifest of zookeeper.jar
// names most of what it needs; debianJars are what it leaves out, as found by
// running it: the parts of Netty that TLS uses, and something to log with.
const debianFolder = "/usr/share/java"

var debianJars = []string{
	"zookeeper.jar",
	"netty-codec.jar",
	"netty-resolver.jar",
	"netty-transport-native-unix-common.jar",
	"slf4j-simple.jar",
}

// findJava finds the Java launcher.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path := filepath.Join(home, "bin", "java")
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
		return "", fmt.Errorf("JAVA_HOME is %s, and there is no %s: correct or unset it", home, path)
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("no java found in PATH: install a Java runtime, 11 or newer "+
			"(Debian: apt-get install default-jre-headless), or set JAVA_HOME: %w", err)
	}
	return path, nil
}

// findJars returns the class path of a ZooKeeper server.
func findJars() ([]string, error) {
	if home := os.Getenv(homeVariable); home != "" {
		return distributionJars(home)
	}
	return packagedJars(debianFolder)
}

// distributionJars returns all jars of an unpacked ZooKeeper distribution.
func distributionJars(home string) ([]string, error) {
	var jars []string
	// Releases up to 3.4 have zookeeper.jar beside lib, not in it.
	for _, pattern := range []string{filepath.Join("lib", "*.jar"), "*.jar"} {
		found, err := filepath.Glob(filepath.Join(home, pattern))
		if err != nil {
			return nil, fmt.Errorf("%s, %q, cannot be searched: %w", homeVariable, home, err)
		}
		jars = append(jars, found...)
	}
	server := func(jar string) bool { return strings.HasPrefix(filepath.Base(jar), "zookeeper") }
	if !slices.ContainsFunc(jars, server) {
		return nil, fmt.Errorf("%s is %s, and there is no lib/zookeeper*.jar: it must name an unpacked "+
			"ZooKeeper distribution (apache-zookeeper-*-bin); correct or unset it", homeVariable, home)
	}
	return jars, nil
}

// packagedJars returns what is needed from a folder of Debian's jars.
func packagedJars(folder string) ([]string, error) {
	var jars, missing []string
	for _, name := range debianJars {
		jar := filepath.Join(folder, name)
		switch _, err := os.Stat(jar); {
		case err == nil:
			jars = append(jars, jar)
		case errors.Is(err, os.ErrNotExist):
			missing = append(missing, name)
		default:
			return nil, fmt.Errorf("jars of ZooKeeper: %w", err)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("no %s in %s: install ZooKeeper (Debian: apt-get install libzookeeper-java; "+
			"elsewhere: unpack apache-zookeeper-*-bin from https://zookeeper.apache.org/releases.html "+
			"and set %s to it)", strings.Join(missing, ", "), folder, homeVariable)
	}
	return jars, nil
}
