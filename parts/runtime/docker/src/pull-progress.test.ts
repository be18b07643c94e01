import { expect, test } from "vitest";
import { PullProgress } from "./pull-progress.ts";

test("downloads of all layers add up", () => {
  const progress = new PullProgress("pull shop");
  const take = (status: string, id?: string, current?: number, total?: number) =>
    progress.take({
      status,
      ...(id === undefined ? {} : { id }),
      progressDetail: {
        ...(current === undefined ? {} : { current }),
        ...(total === undefined ? {} : { total }),
      },
    });
  expect(take("Pulling from sampan/shop")).toBeUndefined();
  expect(take("Pulling fs layer", "a")).toBeUndefined();
  expect(take("Downloading", "a", 10, 100)).toEqual({ stage: "pull shop", done: 10, total: 100 });
  expect(take("Downloading", "b", 5, 50)).toEqual({ stage: "pull shop", done: 15, total: 150 });
  expect(take("Download complete", "a")).toEqual({ stage: "pull shop", done: 105, total: 150 });
  expect(take("Extracting", "a", 50, 100)).toBeUndefined();
});
