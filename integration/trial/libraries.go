package trial

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// python is Debian's, for which python3-kazoo is; another one in PATH does not know it.
const python = "/usr/bin/python3"

// Kazoo returns the Python that knows Kazoo. Where there is none the test is skipped.
func Kazoo(t *testing.T) string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import kazoo.client").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: no Kazoo here (Debian: apt-get install python3-kazoo): %v\n%s", err, out)
	}
	return python
}

// curatorJars are Debian's; their manifests name what they need.
var curatorJars = []string{"/usr/share/java/curator-recipes.jar", "/usr/share/java/slf4j-simple.jar"}

// Curator compiles the programs in a folder against Curator, and returns the command that
// runs one of them: the name of its class comes next, then the arguments. Where there is no Curator
// the test is skipped.
func Curator(t *testing.T, folder string) []string {
	t.Helper()
	java, err := findJava()
	for _, jar := range curatorJars {
		if err == nil {
			_, err = os.Stat(jar)
		}
	}
	if err != nil {
		t.Skipf("NOT TESTED: no Curator here (Debian: apt-get install libcurator-recipes-java): %v", err)
	}
	classes := t.TempDir()
	classPath := strings.Join(append([]string{classes}, curatorJars...), string(filepath.ListSeparator))
	sources, err := filepath.Glob(filepath.Join(folder, "*.java"))
	require.NoError(t, err)
	// Debian's headless runtime has the compiler in it, and only lacks the command javac.
	args := append([]string{
		"-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main",
		"-proc:none", "-nowarn", "-d", classes, "-cp", classPath,
	}, sources...)
	out, err := exec.CommandContext(t.Context(), java, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return []string{java, "-cp", classPath, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}
}

// findJava finds the Java launcher as package ensemble does.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	return exec.LookPath("java")
}
