package image

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestTagNamesTheContent(t *testing.T) {
	tag := Tag()
	if !regexp.MustCompile(`^zookit/zookeeper:debian-[0-9a-f]{12}$`).MatchString(tag) {
		t.Errorf("tag is %q, want zookit/zookeeper:debian- and twelve hex digits", tag)
	}
	if again := Tag(); again != tag {
		t.Errorf("tag is %q, then %q", tag, again)
	}
	var names []string
	err := eachSource("entrypoint", func(name string, _ []byte) error {
		names = append(names, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"entrypoint/command.go", "entrypoint/config.go", "entrypoint/doc.go", "entrypoint/main.go", "entrypoint/status.go"}
	if !slices.Equal(names, want) {
		t.Errorf("the entry point is compiled from %q, want %q", names, want)
	}
}

func TestManifestClassPath(t *testing.T) {
	text := "Manifest-Version: 1.0\r\nClass-Path: /usr/share/java/commons-cli.jar /usr/share/java/commons-i\r\n o.jar slf4j-api.jar\r\nCreated-By: x\r\n"
	want := []string{"commons-cli.jar", "commons-io.jar", "slf4j-api.jar"}
	if got := manifestClassPath(text); !slices.Equal(got, want) {
		t.Errorf("class path is %q, want %q", got, want)
	}
	if got := manifestClassPath("Manifest-Version: 1.0\n"); got != nil {
		t.Errorf("class path of a manifest without one is %q", got)
	}
}

func TestLinked(t *testing.T) {
	text := `/root/jre/bin/java:
	linux-vdso.so.1 (0x00007ffd)
	libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f1a)
	libjli.so => /root/jre/bin/../lib/libjli.so (0x00007f1b)
	libjli2.so => /root/jre/lib/libjli.so (0x00007f1b)
	libfreetype.so.6 => not found
	/lib64/ld-linux-x86-64.so.2 (0x00007f1c)
/root/jre/lib/libzip.so:
	libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f2a)
`
	want := []string{"/lib/x86_64-linux-gnu/libz.so.1", "/lib64/ld-linux-x86-64.so.2"}
	if got := linked(text, "/root/jre"); !slices.Equal(got, want) {
		t.Errorf("linked files are %q, want %q", got, want)
	}
}

func TestJavaMajor(t *testing.T) {
	for text, want := range map[string]int{
		"IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n": 17,
		"JAVA_VERSION=\"21\"\n":                              21,
		"JAVA_VERSION=\"1.8.0_402\"\n":                       1,
		"OS_NAME=\"Linux\"\n":                                0,
	} {
		if got := javaMajor(text); got != want {
			t.Errorf("release %q is Java %d, want %d", text, got, want)
		}
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second lock ended with %v, want it to wait until its context ends", err)
	}
	unlock()
	unlock, err = lock(t.Context(), path)
	if err != nil {
		t.Fatalf("lock after unlock: %v", err)
	}
	unlock()
}
