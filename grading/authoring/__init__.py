"""What an author of assignments needs: release, leak scan, proof."""
