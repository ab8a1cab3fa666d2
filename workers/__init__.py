"""Workers: what follows a commit. Scribes copy the cells into SQL; jobs do things in the world."""
