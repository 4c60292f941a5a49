package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"
)

// Profile is how one ensemble is reached: a part of the configuration file.
type Profile struct {
	Servers        string        `yaml:"servers"`
	SessionTimeout time.Duration `yaml:"sessionTimeout"`
	ConnectTimeout time.Duration `yaml:"connectTimeout"`
	Auth           []string      `yaml:"auth"` // scheme:credential
	SASL           string        `yaml:"sasl"` // user:password
	Layout         string        `yaml:"layout"`
	Output         string        `yaml:"output"`
	TLS            struct {
		CA         string `yaml:"ca"`
		Cert       string `yaml:"cert"`
		Key        string `yaml:"key"`
		ServerName string `yaml:"serverName"`
	} `yaml:"tls"`
}

// file is the configuration file.
type file struct {
	Default  string             `yaml:"default"`
	Profiles map[string]Profile `yaml:"profiles"`
}

// configPath is where the configuration file is, and whether somebody has said so.
func configPath(given string) (string, bool) {
	if given != "" {
		return given, true
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "zookit", "config.yaml"), false
}

// loadProfile reads a profile, the default one if name is empty; without a file there is none.
func loadProfile(config, name string) (Profile, error) {
	path, given := configPath(config)
	content, err := os.ReadFile(path)
	switch {
	case err != nil && given:
		return Profile{}, Usagef("configuration: %w", err)
	case errors.Is(err, fs.ErrNotExist), path == "":
		if name != "" {
			return Profile{}, Usagef("profile %s: there is no configuration file %s", name, path)
		}
		return Profile{}, nil
	case err != nil:
		return Profile{}, Usagef("configuration: %w", err)
	}
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	// The text of the error is the decoder's own, and has the values of the file, credentials among them.
	if err := decoder.Decode(&f); err != nil {
		return Profile{}, Usagef("configuration %s: it is not of the form profiles: {NAME: {servers: HOST:PORT}}, or names a setting that there is not%s", path, line(err))
	}
	if name == "" {
		name = f.Default
	}
	if name == "" {
		return Profile{}, nil
	}
	p, ok := f.Profiles[name]
	if !ok {
		return Profile{}, Usagef("configuration %s: there is no profile %s", path, name)
	}
	return p, nil
}

// line says where a document is wrong, without what stands there.
func line(err error) string {
	typed, ok := errors.AsType[*yaml.TypeError](err)
	if !ok || len(typed.Errors) == 0 {
		return ""
	}
	var n int
	if _, err := fmt.Sscanf(typed.Errors[0], "line %d:", &n); err != nil {
		return ""
	}
	return fmt.Sprintf(" (line %d)", n)
}
