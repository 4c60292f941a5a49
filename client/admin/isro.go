package admin

import (
	"fmt"
	"strings"
)

var isro = question[bool]{"isro", "is_read_only", isroFromText, isroFromJSON}

func isroFromText(text string) (bool, error) {
	switch strings.TrimSpace(text) {
	case "rw":
		return false, nil
	case "ro":
		return true, nil
	case "null":
		return false, ErrNotServing
	}
	return false, malformed(text)
}

func isroFromJSON(body []byte) (bool, error) {
	v, err := members(body)
	if err != nil {
		return false, err
	}
	switch v.text("read_only") {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%w: read_only is neither true nor false: %s", ErrMalformed, quote(string(body)))
}
