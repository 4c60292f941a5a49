package group

import (
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Option changes how a group works: all that take part, and all that look, give the same ones.
type Option func(*settings) error

// settings are what options set.
type settings struct {
	layout  recipes.Layout
	shallow bool
	acl     []client.ACL

	// Of partitioners only.
	assign Assignment
	settle time.Duration
}

// WithLayout says in whose znodes the members are written. recipes.Curator, the default, is that of
// Curator's GroupMember: a node is named for the member's id and holds its data.
// recipes.Kazoo is that of Kazoo's Party: a node has a unique name and holds the id, so that members
// have no data, and ids need not be unique.
func WithLayout(layout recipes.Layout) Option {
	return func(s *settings) error {
		if layout != recipes.Curator && layout != recipes.Kazoo {
			return fmt.Errorf("%w: %s is not a layout: use recipes.Curator or recipes.Kazoo", client.ErrBadArgument, layout)
		}
		s.layout, s.shallow = layout, false
		return nil
	}
}

// WithShallowParty uses the names of Kazoo's ShallowParty: a unique part, a hyphen and the id. Ids need not be unique; data
// is for zookit's members only, Kazoo's have the id there.
func WithShallowParty() Option {
	return func(s *settings) error {
		s.layout, s.shallow = recipes.Kazoo, true
		return nil
	}
}

// WithACL sets the ACL of the member's node and of parents that are made. Default: the client's.
func WithACL(acls ...client.ACL) Option {
	return func(s *settings) error {
		if len(acls) == 0 {
			return fmt.Errorf("%w: an ACL without entries", client.ErrBadArgument)
		}
		s.acl = acls
		return nil
	}
}

// WithAssignment sets how a [Partitioner] divides the partitions. All members have to use the same. Default: [Balanced], and
// [Strided] in Kazoo's layout. It is for partitioners only.
func WithAssignment(assign Assignment) Option {
	return func(s *settings) error {
		if assign == nil {
			return fmt.Errorf("%w: the assignment is nil", client.ErrBadArgument)
		}
		s.assign = assign
		return nil
	}
}

// WithSettling has a [Partitioner] divide the partitions anew only when the members have not changed for d, or after ten
// times d if they go on changing: a member that is started again within d then costs no movement, and
// the partitions of one that was killed move that much later. Kazoo's time_boundary. Default: 0. It is for partitioners only.
func WithSettling(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("%w: settling for %v", client.ErrBadArgument, d)
		}
		s.settle = d
		return nil
	}
}

func configure(cl *client.Client, dir string, opts []Option) (settings, error) {
	s, err := apply(cl, dir, opts)
	if err == nil && (s.assign != nil || s.settle != 0) {
		err = fmt.Errorf("group %s: %w: an option of partitioners", dir, client.ErrBadArgument)
	}
	return s, err
}

func apply(cl *client.Client, dir string, opts []Option) (settings, error) {
	var s settings
	if cl == nil {
		return s, fmt.Errorf("group %s: %w: the client is nil", dir, client.ErrBadArgument)
	}
	if err := client.CheckPath(dir); err != nil {
		return s, fmt.Errorf("group: %w", err)
	}
	for i, opt := range opts {
		if opt == nil {
			return s, fmt.Errorf("group %s: %w: option %d is nil", dir, client.ErrBadArgument, i)
		}
		if err := opt(&s); err != nil {
			return s, fmt.Errorf("group %s: %w", dir, err)
		}
	}
	return s, nil
}

// partyName is in the names of Party's nodes.
const partyName = "__party__"

// maxID bounds ids: they are stored in names or data.
const maxID = 64 << 10

// name is that of a member's node, and data what the node holds.
func (s *settings) name(id string, data []byte) (string, []byte, error) {
	bad := func(why string) (string, []byte, error) {
		return "", nil, fmt.Errorf("%w: the id %.100q %s", client.ErrBadArgument, id, why)
	}
	switch {
	case id == "":
		return bad("is empty")
	case len(id) > maxID:
		return bad(fmt.Sprintf("has %d bytes, at most %d are allowed", len(id), maxID))
	case s.layout == recipes.Kazoo && !s.shallow && len(data) > 0:
		return "", nil, fmt.Errorf("%w: members of Kazoo's Party have no data but their id", client.ErrBadArgument)
	case s.layout == recipes.Kazoo && !s.shallow:
		return newID() + partyName, []byte(id), nil
	case strings.Contains(id, "/"):
		return bad("has a slash in it: it is the name of a node")
	case client.CheckPath("/"+id) != nil:
		return bad("cannot be the name of a node")
	case s.shallow && len(data) == 0:
		return newID() + "-" + id, []byte(id), nil
	case s.shallow:
		return newID() + "-" + id, data, nil
	}
	return id, data, nil
}

// counts tells whether the child of that name is a member, as the layout's library counts.
func (s *settings) counts(name string) bool {
	return s.layout != recipes.Kazoo || s.shallow || strings.Contains(name, partyName)
}

// id is the id of a member.
func (s *settings) id(name string, data []byte) string {
	switch {
	case s.shallow:
		return name[strings.IndexByte(name, '-')+1:]
	case s.layout == recipes.Kazoo:
		return string(data)
	}
	return name
}
