package ensemble

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingJarsSayWhatToInstall(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "zookeeper.jar"), nil, 0o600))
	_, err := packagedJars(dir)
	require.ErrorContains(t, err, "no netty-codec.jar, netty-resolver.jar, netty-transport-native-unix-common.jar, slf4j-simple.jar in "+dir)
	require.ErrorContains(t, err, "apt-get install libzookeeper-java")
	require.ErrorContains(t, err, homeVariable)
}

func TestHomeWithoutZooKeeper(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(homeVariable, dir)
	_, err := findJars()
	require.ErrorContains(t, err, homeVariable+" is "+dir)
}

func TestMissingJavaSaysWhatToInstall(t *testing.T) {
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	_, err := findJava()
	require.ErrorContains(t, err, "apt-get install default-jre-headless")

	t.Setenv("JAVA_HOME", "/nowhere")
	_, err = findJava()
	require.ErrorContains(t, err, "JAVA_HOME is /nowhere")
}

// A distribution brings all its jars in one folder.
func TestDistribution(t *testing.T) {
	home := t.TempDir()
	lib := filepath.Join(home, "lib")
	require.NoError(t, os.Mkdir(lib, 0o700))
	for _, pattern := range []string{"zookeeper*", "netty-*", "slf4j-api*", "slf4j-simple*", "snappy-java*", "metrics-core*", "commons-*", "jackson-*"} {
		jars, err := filepath.Glob(filepath.Join(debianFolder, pattern+".jar"))
		require.NoError(t, err)
		for _, jar := range jars {
			require.NoError(t, os.Symlink(jar, filepath.Join(lib, filepath.Base(jar))))
		}
	}
	t.Setenv(homeVariable, home)
	jars, err := findJars()
	if err != nil {
		t.Skipf("Debian's jars, of which this test makes a distribution, are not installed: %v", err)
	}
	for _, jar := range jars {
		require.Equal(t, lib, filepath.Dir(jar))
	}
	Start(t, 1, WithProvider("jvm"))
}
