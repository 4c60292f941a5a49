package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// ServiceType says how an instance's node lives: Curator's ServiceType.
type ServiceType uint8

// The types.
const (
	// Dynamic instances are ephemeral: they go with their process.
	Dynamic ServiceType = iota
	// DynamicSequential instances are, too, and have a number behind the name of their node. They are
	// read, and cannot be registered: a [Dynamic] one has an id of its own.
	DynamicSequential
	// Static and Permanent instances stay until they are unregistered.
	Static
	Permanent
)

var typeNames = [...]string{Dynamic: "DYNAMIC", DynamicSequential: "DYNAMIC_SEQUENTIAL", Static: "STATIC", Permanent: "PERMANENT"}

// String returns the type's name, as Curator writes it.
func (t ServiceType) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("service type %d", uint8(t))
}

// Instance is one instance of a service: Curator's ServiceInstance.
type Instance struct {
	// Name is the service's, ID the instance's: unique in the service. Neither may be empty or contain a
	// slash when it is registered; an empty ID then becomes a random UUID.
	Name, ID string
	// Address is a host name or an IP address. When it is registered an empty one becomes the first address of this
	// host that is not for itself only, as with Curator.
	Address string
	// Port and SSLPort are where it listens; 0 stands for none, JSON's null.
	Port, SSLPort int
	// Payload is any JSON, or nil for null; see [StringPayload] and [SpringPayload]. What Java programs can read
	// depends on the class that they expect: null and strings for String. An object needs a key "@class" that
	// names the class, unless they expect Object or Map.
	Payload json.RawMessage
	// Registered is when it was registered, in whole milliseconds; the zero time stands for 1970, which is what
	// Java makes of a time that is missing. When it is registered the zero time becomes now.
	Registered time.Time
	Type       ServiceType
	// URISpec is the template of its address, or nil.
	URISpec *URISpec
	// Disabled takes an instance out of service without unregistering it.
	Disabled bool
}

// HostPort returns where the instance listens, SSLPort being preferred; false if it has no port.
func (i Instance) HostPort() (string, bool) {
	port := i.Port
	if i.SSLPort != 0 {
		port = i.SSLPort
	}
	return net.JoinHostPort(i.Address, strconv.Itoa(port)), port != 0
}

// URI builds the instance's address from its URISpec; see [URISpec.Build]. "" if it has none.
func (i Instance) URI() string {
	if i.URISpec == nil {
		return ""
	}
	return i.URISpec.Build(i, nil)
}

// check tells whether the instance can be written.
func (i Instance) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrBadInstance}, args...)...)
	}
	for what, text := range map[string]string{"name": i.Name, "id": i.ID} {
		if err := client.CheckPath("/" + text); text == "" || strings.Contains(text, "/") || err != nil {
			return bad("the %s %q cannot be the name of a node", what, text)
		}
	}
	switch {
	case i.Port < 0 || i.Port > 65535 || i.SSLPort < 0 || i.SSLPort > 65535:
		return bad("ports %d and %d: 0 to 65535 are allowed", i.Port, i.SSLPort)
	case i.Payload != nil && !json.Valid(i.Payload):
		return bad("the payload of %d bytes is not JSON; see StringPayload for text", len(i.Payload))
	case int(i.Type) >= len(typeNames):
		return bad("%v", i.Type)
	}
	return nil
}

// StringPayload is text as a payload: what programs of Curator read that expect a String.
func StringPayload(text string) json.RawMessage { return appendString(nil, text) }

// Text returns a payload that is a string; false if it is none.
func (i Instance) Text() (string, bool) {
	var text *string
	if json.Unmarshal(i.Payload, &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}

// SpringClass is the class of the payload of Spring Cloud Zookeeper.
const SpringClass = "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance"

// SpringPayload is the payload that services of Spring Cloud Zookeeper write and read: the id of the application,
// its name, and metadata, which may be nil.
func SpringPayload(id, name string, metadata map[string]string) json.RawMessage {
	b := appendString([]byte(`{"@class":`), SpringClass)
	b = appendString(append(b, `,"id":`...), id)
	b = appendString(append(b, `,"name":`...), name)
	b = append(b, `,"metadata":{`...)
	for n, key := range slices.Sorted(maps.Keys(metadata)) {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendString(append(appendString(b, key), ':'), metadata[key])
	}
	return append(b, "}}"...)
}

// Metadata returns the metadata of a payload of Spring Cloud Zookeeper; nil if it is none.
func (i Instance) Metadata() map[string]string {
	var payload struct {
		Class    string            `json:"@class"`
		Metadata map[string]string `json:"metadata"`
	}
	if json.Unmarshal(i.Payload, &payload) != nil || payload.Class != SpringClass {
		return nil
	}
	return payload.Metadata
}

// localAddress is the first address of this host that others may reach.
func localAddress() (string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("the addresses of this host: %w", err)
	}
	for _, four := range []bool{true, false} {
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && (n.IP.To4() != nil) == four {
				return n.IP.String(), nil
			}
		}
	}
	return "", fmt.Errorf("%w: this host has no address but for itself: say Address", ErrBadInstance)
}
