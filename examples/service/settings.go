package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
)

// settings are those of all services together.
type settings struct {
	// IntervalMS is the time from one addition to the next, in milliseconds.
	IntervalMS int `json:"interval_ms"`
	// Step is how much is added.
	Step int `json:"step"`
}

func (s settings) interval() time.Duration { return time.Duration(s.IntervalMS) * time.Millisecond }

func (s settings) check() error {
	if s.IntervalMS < 1 || s.IntervalMS > 60_000 {
		return fmt.Errorf("interval_ms is %d, and has to be 1 to 60000", s.IntervalMS)
	}
	if s.Step < 1 {
		return fmt.Errorf("step is %d, and has to be at least 1", s.Step)
	}
	return nil
}

// settingsOptions are the same for all who read and write them.
func settingsOptions() []config.Option[settings] {
	return []config.Option[settings]{
		config.WithDefault(settings{IntervalMS: 1000, Step: 1}),
		config.WithValidate(settings.check),
	}
}

// set changes what the text mentions.
func (s *service) set(ctx context.Context, text string) error {
	now, err := config.New(s.cl, client.Join(s.root, "settings"), settingsOptions()...).Update(ctx, func(old settings) (settings, error) {
		err := json.Unmarshal([]byte(text), &old)
		return old, err
	})
	if err == nil {
		s.out.say("settings: every %v, step %d", now.interval(), now.Step)
	}
	return err
}
