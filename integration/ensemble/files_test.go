package ensemble

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file that holds an argument for Java, named by another one, shows in what the
// server says of itself; also after a wipe, which makes containers anew.
func flagsFromAFile(t *testing.T, provider Option) {
	t.Helper()
	e := Start(t, 1, provider, WithJVMFlags("-XX:VMOptionsFile="+FilesDir+"/more.options"),
		WithFile("more.options", []byte("-Djava.io.tmpdir=/as-the-file-says\n")))
	for range 2 {
		answer, err := e.Servers()[0].FourLetter(bounded(t), "envi")
		require.NoError(t, err)
		require.Contains(t, answer, "java.io.tmpdir=/as-the-file-says\n")
		require.NoError(t, e.Wipe(bounded(t)))
		require.NoError(t, e.WaitServing(bounded(t)))
	}
}

func TestFilesAndFlags(t *testing.T) { flagsFromAFile(t, tested()) }

func TestContainerFilesAndFlags(t *testing.T) {
	dockerEngine(t)
	flagsFromAFile(t, WithProvider(containers{}.name()))
}
