// Command entrypoint is what the image of package image starts. It writes
// zoo.cfg and myid from the environment, as the entry point of the official
// image does, and becomes the server.
//
// It uses nothing but the standard library: the image's build compiles it on
// its own, outside this module.
package main
