package ensemble

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/moby/moby/client"

	"github.com/zookit/zookit/integration/image"
)

const (
	defaultImage = "zookeeper:3.9"

	buildLimit = 10 * time.Minute
)

// pullLimits bound how long an image is waited for: a registry that cannot be
// reached shows in the first answer, an image on its way may take longer.
type pullLimits struct{ answer, whole time.Duration }

var pullDefaults = pullLimits{answer: 20 * time.Second, whole: 10 * time.Minute}

// image returns the name of an image that the engine has. It is found out,
// pulled or built once for the process.
func (e *containerEngine) image(ctx context.Context) (string, error) {
	return e.images.get(ctx, func() (string, error) {
		defer e.api.Close() // idle connections only
		return e.findImage(context.Background(), os.Getenv("ZOOKIT_TEST_IMAGE"))
	})
}

// findImage takes the wanted image, or if none is named the default image, or
// a built one in its place. An image at hand goes before one that would have to
// be fetched: a machine that had to build one is not asked to try the registry
// again in each process.
func (e *containerEngine) findImage(ctx context.Context, wanted string) (string, error) {
	name := wanted
	if name == "" {
		name = defaultImage
	}
	if ok, err := image.Present(ctx, e.api, name); ok || err != nil {
		return name, err
	}
	if name == image.Latest || name == image.Tag() {
		return e.buildImage(ctx)
	}
	if wanted == "" {
		if ok, err := image.Present(ctx, e.api, image.Tag()); ok || err != nil {
			return image.Tag(), err
		}
	}
	pullErr := e.pull(ctx, name, pullDefaults)
	if pullErr == nil {
		return name, nil
	}
	if wanted != "" {
		return "", fmt.Errorf("containers: image %s, named in ZOOKIT_TEST_IMAGE, is not here and cannot be pulled: %w; without ZOOKIT_TEST_IMAGE one is built", wanted, pullErr)
	}
	built, err := e.buildImage(ctx)
	if err != nil {
		return "", fmt.Errorf("containers: %s cannot be pulled (%w) and no image can be built in its place: %w", name, pullErr, err)
	}
	return built, nil
}

func (e *containerEngine) buildImage(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	result, err := image.Ensure(ctx, e.api)
	if err != nil {
		return "", err
	}
	if result.Built {
		fmt.Fprintln(os.Stderr, "ensemble:", result)
	}
	return result.Tag, nil
}

// pull fetches an image. It gives up early on a registry that does not answer.
func (e *containerEngine) pull(ctx context.Context, name string, limits pullLimits) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := func(after time.Duration, format string) *time.Timer {
		return time.AfterFunc(after, func() { cancel(fmt.Errorf(format, after)) })
	}
	answer := limit(limits.answer, "the registry has not answered within %v")
	defer answer.Stop()
	defer limit(limits.whole, "not complete after %v").Stop()

	err := func() error {
		got, err := e.api.ImagePull(ctx, name, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		defer got.Close()
		for message, err := range got.JSONMessages(ctx) {
			if err != nil {
				return err
			}
			if message.Error != nil {
				return message.Error
			}
			answer.Stop()
		}
		return nil
	}()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
