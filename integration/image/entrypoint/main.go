package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "entrypoint:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	e := environment(os.Getenv)
	// Called by the name of one of ZooKeeper's scripts, through a link, it is
	// that script; otherwise the arguments name what to run.
	if strings.HasSuffix(args[0], ".sh") {
		args[0] = filepath.Base(args[0])
	} else {
		args = args[1:]
	}
	cmd, err := command(e, args)
	if err != nil {
		return err
	}
	if len(cmd) == 0 {
		return printStatus(e)
	}
	if err := configure(e); err != nil {
		return err
	}
	bin, err := exec.LookPath(cmd[0])
	if err != nil {
		return fmt.Errorf("run %q: %w", cmd[0], err)
	}
	// The server takes this process over, so that signals reach it directly.
	if err := syscall.Exec(bin, cmd, os.Environ()); err != nil {
		return fmt.Errorf("run %q: %w", cmd[0], err)
	}
	return nil
}

func printStatus(e environment) error {
	f := foldersOf(e)
	cfg, err := os.ReadFile(f.zooCfg())
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	id, err := os.ReadFile(f.myID())
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	mode, err := status(clientAddr(string(cfg), strings.TrimSpace(string(id))))
	if err != nil {
		return err
	}
	fmt.Println(mode)
	return nil
}
