"""The command line: the same engine calls as the window makes."""

COMMANDS = {
    "segment": "segment images and export the masks",
    "edit": "change a mask: fill holes, grow, smooth, split, ...",
    "measure": "measure the segments of a mask",
    "info": "say what an image file holds",
    "project": "look at a project file, check it, save what is whole of it",
    "export": "export the accepted layers of a project",
    "checkpoints": "list, search, fetch, pack, import, remove and check the weights of models",
    "plugins": "list, enable and disable plugins",
    "doctor": "say what this machine offers: versions, devices, folders",
    "demo": "segment sample images, and show the results",
}
