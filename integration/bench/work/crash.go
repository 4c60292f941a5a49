package work

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Crash measures elections whose leader is another process, which is killed: c.Ops times, at least once.
// Campaign returns when the candidate leads; inLine tells how many lead or wait.
func (c *Course) Crash(ctx context.Context, servers string,
	campaign func(ctx context.Context) (resign func(ctx context.Context) error, err error), inLine func(ctx context.Context) (int, error),
) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the own program: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
		leader := exec.CommandContext(ctx, program, "-servers", servers, "-candidate", c.Path)
		leader.Stderr = os.Stderr
		out, err := leader.StdoutPipe()
		if err != nil {
			return 0, 0, err
		}
		if err := leader.Start(); err != nil {
			return 0, 0, err
		}
		defer func() { _ = leader.Wait() }()
		defer func() { _ = leader.Process.Kill() }()
		if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "leading" {
			return 0, 0, errors.Join(fmt.Errorf("the other candidate says %q, not that it leads", line), err)
		}
		return c.fall(ctx, leader.Process, campaign, inLine)
	})
}

// fall kills the leader once somebody stands in line behind it.
func (c *Course) fall(ctx context.Context, leader *os.Process,
	campaign func(ctx context.Context) (func(ctx context.Context) error, error), inLine func(ctx context.Context) (int, error),
) (int, time.Duration, error) {
	type outcome struct {
		at     time.Time
		resign func(ctx context.Context) error
		err    error
	}
	got := make(chan outcome, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		resign, err := campaign(ctx)
		got <- outcome{time.Now(), resign, err}
	}()
	if err := LineUp(ctx, 2, inLine); err != nil {
		cancel()
		<-got
		return 0, 0, err
	}
	killed := time.Now()
	err := leader.Kill()
	if err != nil {
		cancel()
	}
	o := <-got
	defer cancel()
	if err := errors.Join(err, o.err); err != nil {
		return 0, 0, err
	}
	return 1, o.at.Sub(killed), o.resign(ctx)
}
