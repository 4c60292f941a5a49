package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// zookeeperID is the user and group that the server runs as and owns its
// folders as; the official image uses the same number.
const zookeeperID = 1000

var serverDirs = map[string]bool{"conf": true, "data": true, "datalog": true, "logs": true}

// pack writes the files below root as a tar archive and returns their size.
func pack(w io.Writer, root string) (int64, error) {
	var size int64
	t := tar.NewWriter(w)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var target string
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(p); err != nil {
				return err
			}
		}
		h, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		h.Name = filepath.ToSlash(name)
		h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
		switch {
		case serverDirs[h.Name]:
			h.Uid, h.Gid = zookeeperID, zookeeperID
		case h.Name == "tmp":
			h.Mode = 0o1777
		}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(t, f)
		size += n
		return err
	})
	if err != nil {
		return size, fmt.Errorf("pack %s: %w", root, err)
	}
	return size, t.Close()
}

// copyFile copies what src names, through links, and makes dst's folder.
func copyFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// copyTree copies the folder src with links resolved: Debian's Java keeps its
// settings in /etc. Links that lead nowhere are left out, as is what only
// development needs.
func copyTree(src, dst string) error {
	skip := map[string]bool{"jmods": true, "include": true, "man": true, "docs": true, "legal": true, "src.zip": true, "ct.sym": true}
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if skip[e.Name()] {
			continue
		}
		from, to := filepath.Join(src, e.Name()), filepath.Join(dst, e.Name())
		info, err := os.Stat(from)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.IsDir():
			err = copyTree(from, to)
		case info.Mode().IsRegular():
			err = copyFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
