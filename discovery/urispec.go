package discovery

import (
	"fmt"
	"strconv"
	"strings"
)

// URISpec is the template of an address: Curator's UriSpec. It never changes.
type URISpec struct{ parts []part }

type part struct {
	value    string
	variable bool
}

// ParseURISpec reads a template such as "{scheme}://{address}:{port}/v1"; [URISpec.Build] tells the variables.
// Errors: [ErrBadURISpec], for braces that do not match.
func ParseURISpec(template string) (*URISpec, error) {
	u := &URISpec{}
	for rest := template; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		switch {
		case i < 0:
			u.parts, rest = append(u.parts, part{value: rest}), ""
		case rest[i] == '}':
			return nil, fmt.Errorf("%w: %q: a } without {", ErrBadURISpec, template)
		case i > 0:
			u.parts, rest = append(u.parts, part{value: rest[:i]}), rest[i:]
		default:
			end := strings.IndexAny(rest[1:], "{}") + 1
			if end == 0 || rest[end] == '{' {
				return nil, fmt.Errorf("%w: %q: a { without }", ErrBadURISpec, template)
			}
			if name := strings.TrimSpace(rest[1:end]); name != "" {
				u.parts = append(u.parts, part{value: name, variable: true})
			}
			rest = rest[end+1:]
		}
	}
	return u, nil
}

// String returns the template.
func (u *URISpec) String() string {
	var b strings.Builder
	for _, p := range u.parts {
		if p.variable {
			b.WriteString("{" + p.value + "}")
		} else {
			b.WriteString(p.value)
		}
	}
	return b.String()
}

// Build fills the template in. The variables are scheme ("https" if the instance has an SSL port, otherwise "http"),
// name, id, address, port, ssl-port, registration-time-utc, service-type (in small letters), open-brace and
// close-brace. vars, which may be nil, has values of others and goes before them. A variable without a value is empty.
func (u *URISpec) Build(i Instance, vars map[string]string) string {
	var b strings.Builder
	for _, p := range u.parts {
		switch value, ok := vars[p.value]; {
		case !p.variable:
			b.WriteString(p.value)
		case ok:
			b.WriteString(value)
		default:
			b.WriteString(i.variable(p.value))
		}
	}
	return b.String()
}

func (i Instance) variable(name string) string {
	port := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	switch name {
	case "scheme":
		if i.SSLPort != 0 {
			return "https"
		}
		return "http"
	case "name":
		return i.Name
	case "id":
		return i.ID
	case "address":
		return i.Address
	case "port":
		return port(i.Port)
	case "ssl-port":
		return port(i.SSLPort)
	case "registration-time-utc":
		return strconv.FormatInt(i.Registered.UnixMilli(), 10)
	case "service-type":
		return strings.ToLower(i.Type.String())
	case "open-brace":
		return "{"
	case "close-brace":
		return "}"
	}
	return ""
}
